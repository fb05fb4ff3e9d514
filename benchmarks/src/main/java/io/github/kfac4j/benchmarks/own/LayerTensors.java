package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.benchmarks.cases.LayerShape;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.NetworkInputs;
import io.github.kfac4j.tensor.Tensor;

/** What a trainer hands over for one layer. */
final class LayerTensors {
  final LayerShape shape;
  final Tensor input;
  final Tensor outputGrad;
  final Tensor weight;
  final Tensor bias;

  private final TensorMemory memory;
  private final float[] weightValues;
  private final float[] biasValues;

  LayerTensors(TensorMemory memory, NetworkCase c, NetworkInputs data, int k) {
    this.memory = memory;
    this.shape = c.layers().get(k);
    this.input = memory.tensor(data.input(k), shape.inputShape(c.batch()));
    this.outputGrad = memory.tensor(data.outputGrad(k), shape.outputShape(c.batch()));
    float[] gradient = data.gradient(k);
    int cols = shape.cols();
    int pitch = cols + (shape.bias() ? 1 : 0);
    this.weightValues = new float[shape.out() * cols];
    this.biasValues = shape.bias() ? new float[shape.out()] : null;
    for (int o = 0; o < shape.out(); o++) {
      System.arraycopy(gradient, o * pitch, weightValues, o * cols, cols);
      if (shape.bias()) {
        biasValues[o] = gradient[o * pitch + cols];
      }
    }
    this.weight = memory.tensor(weightValues, weightShape());
    this.bias = shape.bias() ? memory.tensor(biasValues, shape.out()) : null;
  }

  private int[] weightShape() {
    return shape.isConv()
        ? new int[] {shape.out(), shape.in(), shape.kernel(), shape.kernel()}
        : new int[] {shape.out(), shape.in()};
  }

  /** Puts the gradient back that preconditioning has replaced. */
  void restore() {
    memory.write(weight, weightValues);
    if (bias != null) {
      memory.write(bias, biasValues);
    }
  }

  /** The weight with the bias as its last column. */
  float[] joined() {
    float[] w = memory.read(weight);
    if (bias == null) {
      return w;
    }
    float[] b = memory.read(bias);
    int cols = shape.cols();
    float[] joined = new float[w.length + b.length];
    for (int o = 0; o < b.length; o++) {
      System.arraycopy(w, o * cols, joined, o * (cols + 1), cols);
      joined[o * (cols + 1) + cols] = b[o];
    }
    return joined;
  }
}
