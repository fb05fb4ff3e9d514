package io.github.kfac4j;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small helpers for tests with one or two layers on the fp64 backend. */
final class Networks {
  static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withDecay(0).withIntervals(1, 1);

  private Networks() {}

  static double[] gaussian(Random random, int n) {
    return random.doubles(n, -1, 1).map(x -> x + random.nextGaussian()).toArray();
  }

  static Kfac kfac(Layer layer, KfacOptions options) {
    return new Kfac(new JavaBackend(), Map.of("layer", layer), options);
  }

  static Observation observation(HostTensor input, HostTensor outputGrad) {
    return Observation.ofSumLoss("layer", input, outputGrad);
  }

  /** Observes, refreshes and returns the preconditioned [weight | bias] as one matrix, flat. */
  static double[] precondition(Kfac kfac, Observation observation, double[] dw) {
    kfac.observe(List.of(observation));
    kfac.refresh();
    return step(kfac, observation.layer(), dw);
  }

  /** Preconditions [weight | bias], rows of {@code inputDim} numbers, and returns the same form. */
  static double[] step(Kfac kfac, String name, double[] dw) {
    Layer layer = kfac.state().layers().get(name).layer;
    int rows = layer.groups() * layer.outputDim();
    int cols = layer.inputDim();
    int width = cols - (layer.bias() ? 1 : 0);
    double[] weight = new double[rows * width];
    double[] bias = new double[rows];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(dw, i * cols, weight, i * width, width);
      bias[i] = dw[i * cols + cols - 1];
    }
    int[] shape = new int[layer.weightShape().rank()];
    Arrays.setAll(shape, layer.weightShape()::get);
    HostTensor b = layer.bias() ? HostTensor.of(bias, rows) : null;
    kfac.precondition(List.of(new LayerGradient(name, HostTensor.of(weight, shape), b)));
    double[] u = new double[dw.length];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(weight, i * width, u, i * cols, width);
      if (layer.bias()) {
        u[i * cols + width] = bias[i];
      }
    }
    return u;
  }

  /** {@code (m A x G + lambda I)^-1} times dW, through the full matrix; row-major vec. */
  static double[] exact(double[] fisher, double lambda, double[] dw) {
    int n = dw.length;
    double[] damped = fisher.clone();
    for (int i = 0; i < n; i++) {
      damped[i * n + i] += lambda;
    }
    return Literal.multiply(Literal.inverse(damped, n), dw, n, n, 1);
  }
}
