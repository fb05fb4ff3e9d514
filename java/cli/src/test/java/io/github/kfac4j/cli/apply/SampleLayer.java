package io.github.kfac4j.cli.apply;

import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.Random;

/** A layer, what it saw in one batch, and its factors' vectors by the definition. */
record SampleLayer(
    String json, String name, Layer layer, int[] inputShape, int[] gradShape, double[][] data) {

  /** Random data, in fp32 so that both types hold the same numbers. */
  static SampleLayer random(
      Random random, String json, String name, Layer layer, int[] inputShape, int[] gradShape) {
    int out = layer.groups() * layer.outputDim();
    int width = layer.inputDim() - (layer.bias() ? 1 : 0);
    double[][] data = {
      Fixtures.gaussian(random, size(inputShape)),
      Fixtures.gaussian(random, size(gradShape)),
      Fixtures.gaussian(random, out * width),
      Fixtures.gaussian(random, layer.bias() ? out : 0)
    };
    String entry = "{\"name\":\"%s\",%s,\"bias\":%s}".formatted(name, json, layer.bias());
    return new SampleLayer(entry, name, layer, inputShape, gradShape, data);
  }

  private static int size(int[] shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  void putInto(Bench bench, DType dtype) {
    bench.put(name + ".input", dtype, data[0], longs(inputShape));
    bench.put(name + ".output_grad", dtype, data[1], longs(gradShape));
    int[] weight = new int[layer.weightShape().rank()];
    Arrays.setAll(weight, layer.weightShape()::get);
    bench.put(name + ".weight_grad", dtype, data[2], longs(weight));
    if (layer.bias()) {
      bench.put(name + ".bias_grad", dtype, data[3], data[3].length);
    }
  }

  private static long[] longs(int[] shape) {
    return Arrays.stream(shape).asLongStream().toArray();
  }

  int examples() {
    return inputShape[0];
  }

  int positions() {
    return vectors().positions();
  }

  private Vectors vectors() {
    return (Vectors)
        layer.use(HostTensor.of(data[0], inputShape), HostTensor.of(data[1], gradShape));
  }

  boolean convolution() {
    return layer instanceof Conv2d;
  }

  int dimA() {
    return layer.inputDim();
  }

  int dimG() {
    return layer.outputDim();
  }

  /** The vectors a, {@code [N T][dimA]}. */
  double[][] inputRows(int group) {
    return Literal.rows(data[0], vectors().a(), group);
  }

  /** The vectors g, {@code [N T][dimG]}. */
  double[][] gradRows(int group) {
    return Literal.rows(data[1], vectors().g(), group);
  }

  /** dW of one group, {@code [dimG, dimA]}, the bias as the last column. */
  double[] gradient(int group) {
    return joined(data[2], data[3], group);
  }

  /** Weight and bias of one group as one matrix. */
  double[] joined(double[] weight, double[] bias, int group) {
    int cols = dimA();
    int width = layer.bias() ? cols - 1 : cols;
    double[] joined = new double[dimG() * cols];
    for (int i = 0; i < dimG(); i++) {
      int row = group * dimG() + i;
      System.arraycopy(weight, row * width, joined, i * cols, width);
      if (layer.bias()) {
        joined[i * cols + width] = bias[row];
      }
    }
    return joined;
  }
}
