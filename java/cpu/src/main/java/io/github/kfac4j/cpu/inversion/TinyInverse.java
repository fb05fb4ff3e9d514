package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.memory.Floats;

/**
 * The inverse of one very small damped matrix, in fp64: a call of LAPACK would take as long, and
 * with so few terms rounding errors do not average out.
 */
final class TinyInverse {
  /** The largest size worth it. */
  static final int MAX = 16;

  private TinyInverse() {}

  /** Writes the inverse; on failure writes nothing. */
  static Status invert(DampedMatrix matrix, Floats inverse) {
    int n = matrix.n();
    double[] l = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double damping = i == j ? matrix.damping() : 0;
        l[i * n + j] = matrix.scale() * matrix.source().get(i * n + j) + damping;
        if (!Double.isFinite(l[i * n + j])) {
          return Status.NOT_FINITE;
        }
      }
    }
    int pivot = factorise(l, n);
    if (pivot >= 0) {
      return Status.notPositiveDefinite(pivot);
    }
    invertLower(l, n);
    float[] result = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        for (int k = i; k < n; k++) {
          sum += l[k * n + i] * l[k * n + j];
        }
        float element = (float) sum;
        if (!Float.isFinite(element)) {
          return Status.NOT_FINITE;
        }
        result[i * n + j] = element;
        result[j * n + i] = element;
      }
    }
    inverse.buffer().put(inverse.start(), result);
    return Status.OK;
  }

  /** Cholesky factor in place of the lower triangle; returns the pivot that failed, or -1. */
  private static int factorise(double[] l, int n) {
    for (int j = 0; j < n; j++) {
      double pivot = l[j * n + j] - dot(l, j * n, j * n, j);
      if (!(pivot > 0)) {
        return j;
      }
      double root = Math.sqrt(pivot);
      l[j * n + j] = root;
      for (int i = j + 1; i < n; i++) {
        l[i * n + j] = (l[i * n + j] - dot(l, i * n, j * n, j)) / root;
      }
    }
    return -1;
  }

  private static double dot(double[] l, int x, int y, int length) {
    double sum = 0;
    for (int k = 0; k < length; k++) {
      sum += l[x + k] * l[y + k];
    }
    return sum;
  }

  /** The inverse of a lower triangular matrix, in place. */
  private static void invertLower(double[] l, int n) {
    for (int i = 0; i < n; i++) {
      double reciprocal = 1 / l[i * n + i];
      for (int j = 0; j < i; j++) {
        double sum = 0;
        for (int k = j; k < i; k++) {
          sum += l[i * n + k] * l[k * n + j];
        }
        l[i * n + j] = -sum * reciprocal;
      }
      l[i * n + i] = reciprocal;
    }
  }
}
