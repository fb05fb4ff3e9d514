package io.github.kfac4j.benchmarks.cases;

import java.util.Arrays;

/** The tensors of a network's layers. Layer k has the streams 4k to 4k + 3. */
public final class NetworkInputs {
  private final NetworkCase c;
  private final Inputs inputs;

  /** The tensors of a case. */
  public NetworkInputs(NetworkCase c, Inputs inputs) {
    this.c = c;
    this.inputs = inputs;
  }

  /** Where they come from. */
  public Inputs inputs() {
    return inputs;
  }

  /** What the layer saw. */
  public float[] input(int k) {
    return inputs.uniform(4 * k, product(layer(k).inputShape(c.batch())));
  }

  /** The gradient at its output, of the summed loss. */
  public float[] outputGrad(int k) {
    return inputs.uniform(4 * k + 1, product(layer(k).outputShape(c.batch())));
  }

  /**
   * Its gradient, [out, cols + 1] with the bias in the last column: for a dense layer {@code g'a /
   * N}, for a convolution a stream of its own.
   */
  public float[] gradient(int k) {
    LayerShape layer = layer(k);
    int cols = layer.cols() + (layer.bias() ? 1 : 0);
    if (layer.isConv()) {
      return inputs.uniform(4 * k + 2, layer.out() * cols);
    }
    float[] a = input(k);
    float[] g = outputGrad(k);
    float[] gradient = new float[layer.out() * cols];
    for (int n = 0; n < c.batch(); n++) {
      for (int o = 0; o < layer.out(); o++) {
        float weight = g[n * layer.out() + o] / c.batch();
        for (int i = 0; i < layer.in(); i++) {
          gradient[o * cols + i] += weight * a[n * layer.in() + i];
        }
        if (layer.bias()) {
          gradient[o * cols + layer.in()] += weight;
        }
      }
    }
    return gradient;
  }

  /** An inverse of A, for preconditioning alone. */
  public float[] aInverse(int k) {
    return inputs.factor(500 + 2 * k, layer(k).toLayer().inputDim());
  }

  /** An inverse of G, for preconditioning alone. */
  public float[] gInverse(int k) {
    return inputs.factor(501 + 2 * k, layer(k).toLayer().outputDim());
  }

  private LayerShape layer(int k) {
    return c.layers().get(k);
  }

  private static int product(int[] shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }
}
