package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A small network in fp64 with layers of very different size: tanh between dense layers, squared
 * error. Its data is a function of the seed; a step of training is split over any number of ranks.
 */
public final class Mlp {
  static final int[] WIDTHS = {7, 20, 3, 5};
  private static final double RATE = 0.05;

  /** {@code [out, in + 1]}, bias last. */
  private final List<double[]> weights = new ArrayList<>();

  private final List<double[]> inputs = new ArrayList<>();
  private final List<double[]> outputGrads = new ArrayList<>();

  public Mlp() {
    Random random = new Random(11);
    for (int l = 0; l + 1 < WIDTHS.length; l++) {
      int size = WIDTHS[l + 1] * (WIDTHS[l] + 1);
      double scale = 1 / Math.sqrt(WIDTHS[l]);
      weights.add(random.doubles(size, -1, 1).map(x -> x * scale).toArray());
    }
  }

  public static Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    for (int l = 0; l + 1 < WIDTHS.length; l++) {
      layers.put("fc" + l, new Dense(WIDTHS[l], WIDTHS[l + 1], true));
    }
    return layers;
  }

  public List<double[]> weights() {
    return weights;
  }

  /** Runs a shard of the batch of a step: examples {@code [from, to)} of it. */
  public void forwardBackward(long step, int from, int to) {
    inputs.clear();
    outputGrads.clear();
    int n = to - from;
    double[] x = data(step, from, n, WIDTHS[0]);
    List<double[]> pre = new ArrayList<>();
    for (int l = 0; l < weights.size(); l++) {
      inputs.add(x);
      double[] s = affine(weights.get(l), x, n, WIDTHS[l], WIDTHS[l + 1]);
      pre.add(s);
      x = s.clone();
      for (int i = 0; l + 1 < weights.size() && i < x.length; i++) {
        x[i] = Math.tanh(s[i]);
      }
    }
    double[] target = data(~step, from, n, WIDTHS[weights.size()]);
    double[] g = new double[x.length];
    for (int i = 0; i < g.length; i++) {
      g[i] = x[i] - target[i];
    }
    for (int l = weights.size() - 1; l >= 0; l--) {
      outputGrads.add(0, g);
      if (l > 0) {
        g = back(weights.get(l), g, pre.get(l - 1), n, WIDTHS[l], WIDTHS[l + 1]);
      }
    }
  }

  private static double[] data(long step, int from, int n, int width) {
    double[] values = new double[n * width];
    for (int i = 0; i < n; i++) {
      Random random = new Random(1_000_003 * step + from + i);
      random.nextDouble();
      for (int j = 0; j < width; j++) {
        values[i * width + j] = random.nextGaussian();
      }
    }
    return values;
  }

  private static double[] affine(double[] w, double[] x, int n, int in, int out) {
    double[] s = new double[n * out];
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < out; o++) {
        double sum = w[o * (in + 1) + in];
        for (int j = 0; j < in; j++) {
          sum += w[o * (in + 1) + j] * x[i * in + j];
        }
        s[i * out + o] = sum;
      }
    }
    return s;
  }

  private static double[] back(double[] w, double[] g, double[] pre, int n, int in, int out) {
    double[] result = new double[n * in];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < in; j++) {
        double sum = 0;
        for (int o = 0; o < out; o++) {
          sum += w[o * (in + 1) + j] * g[i * out + o];
        }
        double a = Math.tanh(pre[i * in + j]);
        result[i * in + j] = sum * (1 - a * a);
      }
    }
    return result;
  }

  /** What the layers saw of the shard; empty for an empty shard. */
  public List<Observation> observations() {
    List<Observation> observations = new ArrayList<>();
    for (int l = 0; l < weights.size(); l++) {
      int n = inputs.get(l).length / WIDTHS[l];
      if (n > 0) {
        observations.add(
            Observation.ofSumLoss(
                "fc" + l,
                HostTensor.of(inputs.get(l), n, WIDTHS[l]),
                HostTensor.of(outputGrads.get(l), n, WIDTHS[l + 1])));
      }
    }
    return observations;
  }

  /** What the layers saw before the backward pass. */
  public List<Observation> inputObservations() {
    return observations().stream()
        .map(o -> Observation.ofInput(o.layer(), o.input(), o.outputGrad().shape()))
        .toList();
  }

  /** Gradients of the mean over the shard; NaN for an empty one, as trainers have it. */
  public List<LayerGradient> gradients() {
    List<LayerGradient> gradients = new ArrayList<>();
    for (int l = 0; l < weights.size(); l++) {
      int in = WIDTHS[l];
      int out = WIDTHS[l + 1];
      int n = inputs.get(l).length / in;
      double[] weight = new double[out * in];
      double[] bias = new double[out];
      for (int i = 0; i < n; i++) {
        for (int o = 0; o < out; o++) {
          double g = outputGrads.get(l)[i * out + o];
          bias[o] += g;
          for (int j = 0; j < in; j++) {
            weight[o * in + j] += g * inputs.get(l)[i * in + j];
          }
        }
      }
      divide(weight, n);
      divide(bias, n);
      gradients.add(
          new LayerGradient("fc" + l, HostTensor.of(weight, out, in), HostTensor.of(bias, out)));
    }
    return gradients;
  }

  private static void divide(double[] values, int n) {
    for (int i = 0; i < values.length; i++) {
      values[i] /= n;
    }
  }

  /** A step of plain gradient descent with gradients that were preconditioned. */
  public void update(List<LayerGradient> gradients) {
    for (int l = 0; l < weights.size(); l++) {
      int in = WIDTHS[l];
      double[] weight = ((HostTensor) gradients.get(l).weight()).toArray();
      double[] bias = ((HostTensor) gradients.get(l).bias()).toArray();
      double[] w = weights.get(l);
      for (int o = 0; o < bias.length; o++) {
        for (int j = 0; j < in; j++) {
          w[o * (in + 1) + j] -= RATE * weight[o * in + j];
        }
        w[o * (in + 1) + in] -= RATE * bias[o];
      }
    }
  }
}
