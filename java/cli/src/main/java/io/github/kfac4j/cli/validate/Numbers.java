package io.github.kfac4j.cli.validate;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Random numbers that fp32 holds exactly, and measures of error. */
final class Numbers {
  /** The unit roundoff of fp32. */
  static final double U = 0x1p-24;

  private Numbers() {}

  static double[] gaussian(Random random, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /**
   * Second moments of {@code samples} Gaussian vectors: rank deficient if these are fewer than n.
   */
  static double[] covariance(Random random, int n, int samples) {
    try (JavaBackend java = new JavaBackend();
        MatrixStack stack = java.allocate(1, n, n)) {
      HostTensor rows = HostTensor.of(gaussian(random, samples * n), samples, n);
      RowSamples vectors = new RowSamples(rows, samples, 1, 1, n, false);
      java.accumulate(List.of(new AccumulateRequest(stack, 0, 1.0 / samples, vectors)));
      double[] m = stack.toArray();
      for (int i = 0; i < m.length; i++) {
        m[i] = (float) m[i];
      }
      return m;
    }
  }

  /** {@code count} covariances plus half the identity, one after the other. */
  static double[] positiveDefinite(Random random, int count, int n) {
    double[] all = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      double[] one = covariance(random, n, Math.min(64, 2 * n));
      for (int i = 0; i < n; i++) {
        one[i * (n + 1)] = (float) (one[i * (n + 1)] + 0.5);
      }
      System.arraycopy(one, 0, all, k * n * n, n * n);
    }
    return all;
  }

  /** The spectral norm of a symmetric matrix, to about a per cent. */
  static double spectralNorm(double[] m, int n) {
    double[] x = new double[n];
    Arrays.fill(x, 1 / Math.sqrt(n));
    double norm = 0;
    for (int round = 0; round < 30; round++) {
      double[] y = new double[n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          y[i] += m[i * n + j] * x[j];
        }
      }
      norm = Math.sqrt(dot(y, y));
      if (norm == 0) {
        return 0;
      }
      for (int i = 0; i < n; i++) {
        x[i] = y[i] / norm;
      }
    }
    return norm;
  }

  /**
   * The largest difference by the largest magnitude expected; infinite if a value is not finite.
   */
  static double largestError(double[] actual, double[] expected) {
    double difference = 0;
    double magnitude = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!Double.isFinite(actual[i])) {
        return Double.POSITIVE_INFINITY;
      }
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
      magnitude = Math.max(magnitude, Math.abs(expected[i]));
    }
    return magnitude == 0 ? difference : difference / magnitude;
  }

  /** The Frobenius norm of the difference by that of what is expected. */
  static double frobeniusError(double[] actual, double[] expected) {
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    }
    return Math.sqrt(difference / dot(expected, expected));
  }

  /** The product of two {@code n x n} matrices. */
  static double[] product(double[] a, double[] b, int n) {
    double[] c = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        double x = a[i * n + k];
        for (int j = 0; j < n; j++) {
          c[i * n + j] += x * b[k * n + j];
        }
      }
    }
    return c;
  }

  static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
