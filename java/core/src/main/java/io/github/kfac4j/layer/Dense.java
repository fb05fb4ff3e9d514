package io.github.kfac4j.layer;

import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A fully connected layer {@code s = W a + b}, weight {@code [outFeatures, inFeatures]}.
 *
 * <p>Inputs are {@code [N, inFeatures]}, or {@code [N, ..., inFeatures]} if the layer is applied at
 * several positions of each example; these share the weight. The examples may be another dimension
 * than the first, or several may lie together, if the {@link io.github.kfac4j.data.Observation}
 * says how many there are.
 *
 * @param inFeatures of the layer
 * @param outFeatures of the layer
 * @param bias whether a bias is added
 * @param sharing what becomes of several positions. Expanded, they are those of a convolution with
 *     a 1x1 kernel.
 */
public record Dense(int inFeatures, int outFeatures, boolean bias, WeightSharing sharing)
    implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive
   */
  public Dense {
    if (inFeatures <= 0 || outFeatures <= 0) {
      throw new IllegalArgumentException(
          "features must be positive but are " + inFeatures + " in, " + outFeatures + " out");
    }
    Batches.length(bias, inFeatures);
  }

  /** A layer with a bias whose positions, if it has several, are expanded. */
  public static Dense of(int inFeatures, int outFeatures) {
    return new Dense(inFeatures, outFeatures, true, WeightSharing.EXPAND);
  }

  /** The same without a bias. */
  public Dense withoutBias() {
    return new Dense(inFeatures, outFeatures, false, sharing);
  }

  /** The same with another treatment of several positions. */
  public Dense withSharing(WeightSharing value) {
    return new Dense(inFeatures, outFeatures, bias, value);
  }

  /** A layer whose positions, if it has several, are expanded. */
  public Dense(int inFeatures, int outFeatures, boolean bias) {
    this(inFeatures, outFeatures, bias, WeightSharing.EXPAND);
  }

  @Override
  public int inputDim() {
    return Batches.length(bias, inFeatures);
  }

  @Override
  public int outputDim() {
    return outFeatures;
  }

  @Override
  public String speciality() {
    return sharing == WeightSharing.REDUCE ? "K-FAC reduce" : null;
  }

  @Override
  public boolean featuresLast() {
    return true;
  }

  @Override
  public boolean groupsByExample() {
    return sharing == WeightSharing.REDUCE;
  }

  @Override
  public boolean readsInputAlone() {
    return sharing == WeightSharing.EXPAND;
  }

  @Override
  public boolean readsOnDevice() {
    return sharing == WeightSharing.EXPAND;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(outFeatures, inFeatures);
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    RowSamples a = rows("input", input, inFeatures, bias);
    RowSamples g = rows("output gradient", outputGrad, outFeatures, false);
    Vectors vectors = new Vectors(a, g);
    requireSamePlaces(input.shape(), outputGrad.shape());
    return sharing == WeightSharing.EXPAND || vectors.positions() == 1
        ? vectors
        : new Vectors(sum("input", a, 1.0 / a.positions()), sum("output gradient", g, 1));
  }

  /** Where neither tensor is flattened, their rows must be of the same places. */
  private static void requireSamePlaces(Shape in, Shape out) {
    boolean same = true;
    for (int i = 0; in.rank() == out.rank() && i < in.rank() - 1; i++) {
      same &= in.get(i) == out.get(i);
    }
    if (!same) {
      throw new IllegalArgumentException(
          "input and output gradient must agree in all dimensions but the last, but have the shapes %s and %s"
              .formatted(in, out));
    }
  }

  /** The sums over positions, scaled. */
  private static RowSamples sum(String what, RowSamples samples, double scale) {
    double[] all = Batches.host(what, samples.data()).toArray();
    int width = samples.width();
    int example = samples.positions() * width;
    double[] sums = new double[samples.examples() * width];
    for (int i = 0; i < all.length; i++) {
      sums[i / example * width + i % width] += scale * all[i];
    }
    HostTensor data = HostTensor.of(sums, samples.examples(), width);
    return new RowSamples(data, samples.examples(), 1, 1, width, samples.bias());
  }

  private static RowSamples rows(String what, Tensor data, int width, boolean bias) {
    Shape shape = data.shape();
    int last = shape.rank() - 1;
    if (last < 1 || shape.get(last) != width) {
      throw new IllegalArgumentException(
          "%s has shape %s, expected [N, %d] or [N, ..., %d]".formatted(what, shape, width, width));
    }
    Batches.requireExamples(what, shape);
    int positions = Batches.product(shape, 1, last);
    return new RowSamples(data, shape.get(0), positions, 1, width, bias);
  }
}
