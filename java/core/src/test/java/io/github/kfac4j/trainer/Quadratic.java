package io.github.kfac4j.trainer;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The loss {@code w'Hw / 2 - b'w}, whose Fisher is taken to be H; two tensors of weights. */
final class Quadratic implements BatchFunction {
  static final int N = 6;
  final double[] h;
  final double[] b = Fixtures.gaussian(new Random(2), N);
  final double[] w;
  final Map<String, HostTensor> weights;

  /** What is added to the loss whenever it is asked for: a loss that does not obey the model. */
  double surprise;

  private double surprises;
  private double lastFactor = Double.NaN;

  Quadratic(long seed) {
    h = Fixtures.covariance(new Random(seed), N, 3 * N);
    w = Fixtures.gaussian(new Random(seed + 1), N);
    // slices of one array, so that the arithmetic is that of a vector
    DoubleBuffer buffer = DoubleBuffer.wrap(w);
    weights =
        Map.of(
            "a",
            HostTensor.of(buffer.slice(0, 4), 2, 2),
            "b",
            HostTensor.of(buffer.slice(4, 2), 2));
  }

  static double[] flat(Map<String, HostTensor> tensors) {
    double[] flat = Arrays.copyOf(tensors.get("a").toArray(), N);
    System.arraycopy(tensors.get("b").toArray(), 0, flat, 4, 2);
    return flat;
  }

  Map<String, HostTensor> gradient() {
    double[] g = Literal.multiply(h, w, N, N, 1);
    for (int i = 0; i < N; i++) {
      g[i] -= b[i];
    }
    return Map.of(
        "a", HostTensor.of(Arrays.copyOf(g, 4), 2, 2),
        "b", HostTensor.of(Arrays.copyOfRange(g, 4, 6), 2));
  }

  @Override
  public double loss() {
    double[] hw = Literal.multiply(h, w, N, N, 1);
    double loss = 0;
    for (int i = 0; i < N; i++) {
      loss += 0.5 * w[i] * hw[i] - b[i] * w[i];
    }
    surprises += surprise;
    return loss + surprises;
  }

  @Override
  public double[][] curvature(List<Map<String, HostTensor>> directions) {
    double[][] products = new double[directions.size()][directions.size()];
    for (int i = 0; i < products.length; i++) {
      double[] hd = Literal.multiply(h, flat(directions.get(i)), N, N, 1);
      for (int j = 0; j < products.length; j++) {
        double[] d = flat(directions.get(j));
        for (int k = 0; k < N; k++) {
          products[i][j] += hd[k] * d[k];
        }
      }
    }
    return products;
  }

  /** Divides by the diagonal of H, damped: some preconditioner that is not exact. */
  Preconditioner diagonal(Map<String, HostTensor> gradient) {
    return new Preconditioner() {
      @Override
      public void precondition(
          double damping, double learningRate, Preconditioner.Refresh refresh) {
        preview(damping);
      }

      @Override
      public void preview(double damping) {
        lastFactor = damping;
        double[] g = flat(gradient);
        for (int i = 0; i < N; i++) {
          g[i] /= h[i * N + i] + damping;
        }
        gradient.get("a").write(0, g, 0, 4);
        gradient.get("b").write(0, g, 4, 2);
      }
    };
  }

  /** The damping that the preconditioner was last asked for. */
  double lastFactorDamping() {
    return lastFactor;
  }

  OptimizerReport step(KfacOptimizer optimizer) {
    Map<String, HostTensor> gradient = gradient();
    return optimizer.step(gradient, diagonal(gradient), this);
  }

  /** The least loss there is. */
  double least() {
    double[] solution = Literal.multiply(Literal.inverse(h, N), b, N, N, 1);
    double least = 0;
    for (int i = 0; i < N; i++) {
      least -= 0.5 * b[i] * solution[i];
    }
    return least;
  }
}
