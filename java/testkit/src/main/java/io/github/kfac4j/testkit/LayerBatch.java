package io.github.kfac4j.testkit;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a layer of any kind but an embedding saw in a batch, and steps of it, group by group. */
public final class LayerBatch {
  private final Layer layer;
  public final int examples;
  private final double[] x;
  private final double[] g;
  private final int[] inputShape;
  private final int[] outputShape;

  /**
   * Takes over numbers that fp32 holds.
   *
   * @param input of one example, likewise {@code output}
   */
  public LayerBatch(Layer layer, int examples, double[] x, Shape input, double[] g, Shape output) {
    this.layer = layer;
    this.examples = examples;
    this.x = x;
    this.g = g;
    this.inputShape = batched(input);
    this.outputShape = batched(output);
  }

  private int[] batched(Shape shape) {
    return IntStream.concat(IntStream.of(examples), Arrays.stream(extents(shape))).toArray();
  }

  private static int[] extents(Shape shape) {
    return IntStream.range(0, shape.rank()).map(shape::get).toArray();
  }

  /** The batch as K-FAC gets it. */
  public Observation observation(String name) {
    return Observation.ofSumLoss(
        name, Fixtures.direct(x, inputShape), Fixtures.direct(g, outputShape));
  }

  /** The vectors g of a group, {@code [examples * positions, outputDim]}. */
  public double[] gradRows(int group) {
    return rows(vectors().g(), group);
  }

  /** The vectors a of a group, {@code [examples * positions, inputDim]}. */
  public double[] inputRows(int group) {
    return rows(vectors().a(), group);
  }

  private Vectors vectors() {
    return (Vectors) layer.use(HostTensor.of(x, inputShape), HostTensor.of(g, outputShape));
  }

  private static double[] rows(Samples samples, int group) {
    double[] data = ((HostTensor) samples.data()).toArray();
    return Stream.of(Literal.rows(data, samples, group))
        .flatMapToDouble(DoubleStream::of)
        .toArray();
  }

  /** The gradient of the mean loss: for each group the mean of {@code g a'}. */
  public double[] gradient() {
    return IntStream.range(0, layer.groups())
        .mapToObj(this::gradient)
        .flatMapToDouble(DoubleStream::of)
        .toArray();
  }

  private double[] gradient(int group) {
    int rows = layer.outputDim();
    double[] gs = gradRows(group);
    int count = gs.length / rows;
    double[] sum =
        Literal.multiply(
            Literal.transpose(gs, count, rows), inputRows(group), rows, count, layer.inputDim());
    return Arrays.stream(sum).map(v -> v / examples).toArray();
  }

  /**
   * The step for a gradient, both {@code [groups, outputDim, inputDim]}.
   *
   * @param fp64 whether the gradient keeps all its digits
   */
  public double[] step(Kfac kfac, String name, double[] dw, boolean fp64) {
    HostTensor weight = zeros(layer.weightShape(), fp64);
    HostTensor bias = layer.bias() ? zeros(layer.biasShape(), fp64) : null;
    Gradient matrix = layer.matrix(weight, bias);
    int cols = layer.inputDim();
    int width = matrix.bias() == null ? cols : cols - 1;
    for (int row = 0; row < dw.length / cols; row++) {
      ((HostTensor) matrix.weight()).write(row * width, dw, row * cols, width);
      if (width < cols) {
        ((HostTensor) matrix.bias()).write(row, dw, row * cols + width, 1);
      }
    }
    layer.store(matrix, weight, bias);
    kfac.preview(List.of(new LayerGradient(name, weight, bias)));
    Gradient result = layer.matrix(weight, bias);
    double[] u = new double[dw.length];
    for (int row = 0; row < u.length / cols; row++) {
      ((HostTensor) result.weight()).read(row * width, u, row * cols, width);
      if (width < cols) {
        ((HostTensor) result.bias()).read(row, u, row * cols + width, 1);
      }
    }
    return u;
  }

  private static HostTensor zeros(Shape shape, boolean fp64) {
    double[] zeros = new double[Math.toIntExact(shape.size())];
    return fp64 ? HostTensor.of(zeros, extents(shape)) : Fixtures.direct(zeros, extents(shape));
  }
}
