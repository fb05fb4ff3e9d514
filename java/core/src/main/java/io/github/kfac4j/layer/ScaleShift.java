package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The trainable part of a normalisation: {@code y = weight x + bias}, channel by channel, weight
 * and bias {@code [channels]}, where x is the <em>normalised</em> input of shape {@code [N,
 * channels, ...]} or, channels last, {@code [N, ..., channels]}.
 *
 * <p>The block is the second moment of the per-example gradients themselves, so there is nothing to
 * factor: A is the constant 1 and G the whole block, which gets all of the damping. Unit-wise
 * (Osawa et al. 2020, SP-NGD) G is 2x2 for each channel, in the order weight, bias; full (Osawa et
 * al. 2019) it is one matrix, all weights before all biases.
 *
 * @param channels of the input
 * @param structure of the block
 * @param bias whether there is a bias
 * @param channelsLast where the channels of the input are
 * @param dampingScale multiplies the damping for this layer; 1 for none
 */
public record ScaleShift(
    int channels, Structure structure, boolean bias, boolean channelsLast, double dampingScale)
    implements Layer {
  /** What of the second moment is kept. */
  public enum Structure {
    /** A block for each channel. */
    UNIT_WISE,
    /** All of it. */
    FULL
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if channels or scale are not positive
   */
  public ScaleShift {
    if (channels <= 0 || !(dampingScale > 0) || Double.isInfinite(dampingScale)) {
      throw new IllegalArgumentException(
          "channels and damping scale must be positive but are %d and %s"
              .formatted(channels, dampingScale));
    }
    Batches.length(false, bias ? 2 : 1, channels);
  }

  /** Unit-wise, with a bias, channels second, damped like all layers. */
  public static ScaleShift of(int channels) {
    return new ScaleShift(channels, Structure.UNIT_WISE, true, false, 1);
  }

  /** The same with another structure of the block. */
  public ScaleShift withStructure(Structure value) {
    return new ScaleShift(channels, value, bias, channelsLast, dampingScale);
  }

  /** The same without a bias. */
  public ScaleShift withoutBias() {
    return new ScaleShift(channels, structure, false, channelsLast, dampingScale);
  }

  /** The same of inputs whose channels are the last dimension. */
  public ScaleShift withChannelsLast() {
    return new ScaleShift(channels, structure, bias, true, dampingScale);
  }

  /** The same with its damping multiplied by a number. */
  public ScaleShift withDampingScale(double value) {
    return new ScaleShift(channels, structure, bias, channelsLast, value);
  }

  private boolean unitWise() {
    return structure == Structure.UNIT_WISE;
  }

  @Override
  public int groups() {
    return unitWise() ? channels : 1;
  }

  @Override
  public int inputDim() {
    return 1;
  }

  @Override
  public int outputDim() {
    return (bias ? 2 : 1) * (unitWise() ? 1 : channels);
  }

  @Override
  public boolean constantInput() {
    return true;
  }

  @Override
  public boolean featuresLast() {
    return channelsLast;
  }

  @Override
  public boolean groupsByExample() {
    return true;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(channels);
  }

  @Override
  public Shape biasShape() {
    return Shape.of(channels);
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    HostTensor x = check("input", input);
    HostTensor g = check("output gradient", outputGrad);
    if (!x.shape().equals(g.shape())) {
      throw new IllegalArgumentException(
          "input and output gradient must have the same shape but have %s and %s"
              .formatted(x.shape(), g.shape()));
    }
    int examples = x.shape().get(0);
    int width = groups() * outputDim();
    HostTensor gradients = HostTensor.of(gradients(x, g), examples, width);
    double[] ones = new double[examples * groups()];
    Arrays.fill(ones, 1);
    return new Vectors(
        new RowSamples(HostTensor.of(ones, examples, groups()), examples, 1, groups(), 1, false),
        new RowSamples(gradients, examples, 1, groups(), outputDim(), false));
  }

  /** Per-example gradients: for each channel the sums of g x and of g. */
  private double[] gradients(HostTensor x, HostTensor g) {
    int examples = x.shape().get(0);
    int size = x.size() / examples;
    int positions = size / channels;
    double[] xs = new double[size];
    double[] gs = new double[size];
    double[] all = new double[examples * groups() * outputDim()];
    for (int n = 0; n < examples; n++) {
      x.read(n * size, xs, 0, size);
      g.read(n * size, gs, 0, size);
      int row = n * groups() * outputDim();
      for (int i = 0; i < size; i++) {
        int channel = channelsLast ? i % channels : i / positions;
        all[row + weightIndex(channel)] += gs[i] * xs[i];
        if (bias) {
          all[row + biasIndex(channel)] += gs[i];
        }
      }
    }
    return all;
  }

  /** One use with the sums of the per-example gradients: no approximation is needed here. */
  @Override
  public List<Use> join(List<Use> uses) {
    if (uses.size() == 1) {
      return uses;
    }
    Vectors first = (Vectors) uses.get(0);
    double[] sum = new double[((HostTensor) first.g().data()).size()];
    for (Use use : uses) {
      double[] one = ((HostTensor) ((Vectors) use).g().data()).toArray();
      Arrays.setAll(sum, i -> sum[i] + one[i]);
    }
    int examples = first.examples();
    HostTensor data = HostTensor.of(sum, examples, sum.length / examples);
    RowSamples g = new RowSamples(data, examples, 1, groups(), outputDim(), false);
    return List.of(new Vectors(first.a(), g));
  }

  private int weightIndex(int channel) {
    return unitWise() ? channel * outputDim() : channel;
  }

  private int biasIndex(int channel) {
    return unitWise() ? channel * 2 + 1 : channels + channel;
  }

  private HostTensor check(String what, Tensor data) {
    Shape shape = data.shape();
    int dimension = channelsLast ? shape.rank() - 1 : 1;
    if (shape.rank() < 2 || shape.get(dimension) != channels) {
      String form = channelsLast ? "[N, ..., %d]" : "[N, %d, ...]";
      throw new IllegalArgumentException(
          "%s has shape %s, expected %s".formatted(what, shape, form.formatted(channels)));
    }
    Batches.requireExamples(what, shape);
    return Batches.host(what, data);
  }

  @Override
  public Gradient matrix(Tensor weight, Tensor bias) {
    double[] w = Batches.host("weight gradient", weight).toArray();
    double[] b = this.bias ? Batches.host("bias gradient", bias).toArray() : null;
    double[] matrix = new double[groups() * outputDim()];
    for (int c = 0; c < channels; c++) {
      matrix[weightIndex(c)] = w[c];
      if (b != null) {
        matrix[biasIndex(c)] = b[c];
      }
    }
    return new Gradient(HostTensor.of(matrix, matrix.length, 1), null);
  }

  @Override
  public void store(Gradient matrix, Tensor weight, Tensor bias) {
    double[] all = ((HostTensor) matrix.weight()).toArray();
    for (int c = 0; c < channels; c++) {
      ((HostTensor) weight).write(c, all, weightIndex(c), 1);
      if (this.bias) {
        ((HostTensor) bias).write(c, all, biasIndex(c), 1);
      }
    }
  }
}
