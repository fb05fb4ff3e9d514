package io.github.kfac4j.layer;

import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A fully connected layer behind a feature map: its input is {@code [N, channels, ...]} with {@code
 * positions} elements in each channel, or {@code [N, ..., channels]} channels last, flattened or
 * not, and its weight {@code [outFeatures, channels * positions]} in the same order. It is a {@link
 * Dense} layer that knows enough of its input to be doubly factored.
 *
 * @param channels of the feature map
 * @param positions of the feature map, height times width
 * @param outFeatures of the layer
 * @param bias whether a bias is added
 * @param channelsLast the order in which the feature map is flattened
 */
public record FlattenedDense(
    int channels, int positions, int outFeatures, boolean bias, boolean channelsLast)
    implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive
   */
  public FlattenedDense {
    if (channels <= 0 || positions <= 0 || outFeatures <= 0) {
      throw new IllegalArgumentException(
          "channels, positions and features must be positive but are %d, %d and %d"
              .formatted(channels, positions, outFeatures));
    }
    Batches.length(bias, channels, positions);
  }

  /** With a bias, behind a feature map that is flattened channel by channel. */
  public static FlattenedDense of(int channels, int positions, int outFeatures) {
    return new FlattenedDense(channels, positions, outFeatures, true, false);
  }

  /** The same without a bias. */
  public FlattenedDense withoutBias() {
    return new FlattenedDense(channels, positions, outFeatures, false, channelsLast);
  }

  /** The same behind a feature map that is flattened position by position. */
  public FlattenedDense withChannelsLast() {
    return new FlattenedDense(channels, positions, outFeatures, bias, true);
  }

  /** Inputs of one example. */
  public int inFeatures() {
    return channels * positions; // checked when it was made
  }

  @Override
  public int inputDim() {
    return Batches.length(bias, channels, positions);
  }

  @Override
  public int outputDim() {
    return outFeatures;
  }

  @Override
  public String speciality() {
    return null;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(outFeatures, inFeatures());
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    Shape in = input.shape();
    Shape out = outputGrad.shape();
    if (in.rank() < 2 || in.size() != (long) in.get(0) * inFeatures()) {
      throw new IllegalArgumentException(
          "input has shape %s, expected [N, ...] with %d elements for each example"
              .formatted(in, inFeatures()));
    }
    if (out.rank() != 2 || out.get(1) != outFeatures) {
      throw new IllegalArgumentException(
          "output gradient has shape %s, expected [N, %d]".formatted(out, outFeatures));
    }
    Batches.requireExamples("input", in);
    Batches.requireExamples("output gradient", out);
    return new Vectors(
        new RowSamples(input, in.get(0), 1, 1, inFeatures(), bias),
        new RowSamples(outputGrad, out.get(0), 1, 1, outFeatures, false));
  }

  /**
   * The inputs of the examples in turn, each as a {@code [positions, channels]} matrix.
   *
   * @throws IllegalArgumentException if the input is not in host memory
   */
  public double[] featureMaps(Vectors use) {
    HostTensor input = Batches.host("input", use.a().data());
    double[] maps = input.toArray();
    return channelsLast ? maps : turned(maps, channels, positions);
  }

  /** A weight gradient as {@code [positions, outFeatures, channels]}. */
  public double[] byPosition(HostTensor weight) {
    double[] w = weight.toArray();
    double[] turned = new double[w.length];
    for (int o = 0; o < outFeatures; o++) {
      for (int i = 0; i < inFeatures(); i++) {
        turned[index(o, i)] = w[o * inFeatures() + i];
      }
    }
    return turned;
  }

  /** The inverse of {@link #byPosition}. */
  public void storeByPosition(double[] turned, HostTensor weight) {
    double[] w = new double[turned.length];
    for (int o = 0; o < outFeatures; o++) {
      for (int i = 0; i < inFeatures(); i++) {
        w[o * inFeatures() + i] = turned[index(o, i)];
      }
    }
    weight.write(0, w, 0, w.length);
  }

  private int index(int o, int i) {
    int p = channelsLast ? i / channels : i % positions;
    int c = channelsLast ? i % channels : i / positions;
    return (p * outFeatures + o) * channels + c;
  }

  private static double[] turned(double[] x, int rows, int cols) {
    double[] t = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int matrix = i / (rows * cols);
      int within = i % (rows * cols);
      t[matrix * rows * cols + within % cols * rows + within / cols] = x[i];
    }
    return t;
  }
}
