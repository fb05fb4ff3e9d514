package io.github.kfac4j.benchmarks.run;

import static io.github.kfac4j.benchmarks.run.Reference.difference;
import static io.github.kfac4j.benchmarks.run.Reference.probe;
import static io.github.kfac4j.benchmarks.run.Reference.times;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.LayerShape;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.NetworkInputs;

/** Preconditioned gradients of all layers of a network against fp64. */
final class NetworkReference {
  private NetworkReference() {}

  static double error(NetworkCase c, Inputs inputs, Work work) {
    double worst = 0;
    NetworkInputs data = new NetworkInputs(c, inputs);
    for (int k = 0; k < c.layers().size(); k++) {
      double error =
          c.verb().equals(Case.STEP)
              ? stepError(c, data, k, work.result(k))
              : preconditionError(c, data, k, work.result(k));
      worst = Math.max(worst, error); // NaN if one is
    }
    return worst;
  }

  private static double preconditionError(NetworkCase c, NetworkInputs data, int k, float[] u) {
    LayerShape layer = c.layers().get(k);
    int a = layer.toLayer().inputDim();
    int g = layer.toLayer().outputDim();
    double[] v = probe(data.inputs(), a);
    double[] x = times(data.gradient(k), a, times(data.aInverse(k), a, v));
    return difference(times(u, a, v), times(data.gInverse(k), g, x));
  }

  /**
   * {@code (G + damping_G) U (A + damping_A) v = dW v}, with the factored damping of Martens and
   * Grosse 2015, section 6.3, and the Fisher block T A x G of KFC.
   */
  private static double stepError(NetworkCase c, NetworkInputs data, int k, float[] u) {
    LayerShape layer = c.layers().get(k);
    ReferenceSamples inputs;
    ReferenceSamples grads;
    double positions = 1;
    if (layer.isConv()) {
      int[] out = layer.outputShape(c.batch());
      inputs = ReferenceSamples.of(layer.patches(c.batch()), data.input(k));
      grads = ReferenceSamples.channels(data.outputGrad(k), c.batch(), layer.out());
      positions = (double) out[2] * out[3];
    } else {
      inputs = ReferenceSamples.dense(data.input(k), c.batch(), layer.bias());
      grads = ReferenceSamples.dense(data.outputGrad(k), c.batch(), false);
    }
    int a = inputs.dim();
    double meanA = inputs.trace() / a;
    double meanG = grads.trace() / positions / grads.dim();
    double root = Math.sqrt(NetworkCase.DAMPING);
    double pi = Math.sqrt(meanA / meanG);
    double[] v = probe(data.inputs(), a);
    double[] av = inputs.moment(v);
    for (int i = 0; i < a; i++) {
      av[i] += pi * root * v[i];
    }
    double[] x = times(u, a, av);
    double[] gx = grads.moment(x);
    for (int i = 0; i < x.length; i++) {
      gx[i] = gx[i] / positions + root / pi * x[i];
    }
    return difference(gx, times(data.gradient(k), a, v));
  }
}
