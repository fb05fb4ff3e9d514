package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.Status;

/** The damped inverse of a symmetric matrix: Cholesky, inverse of the factor, symmetric product. */
final class Cholesky {
  private static final int PANEL = 64;

  private Cholesky() {}

  /**
   * Writes {@code (scale * M + damping I)^-1} to {@code inverse}.
   *
   * @param m {@code n x n} at offset {@code m0}; may be the array of the inverse
   * @param inverse {@code n x n} at offset {@code i0}; on failure unchanged
   */
  static Status invert(
      double[] m, int m0, int n, double scale, double damping, double[] inverse, int i0) {
    double[] u = new double[n * n];
    for (int i = 0; i < n * n; i++) {
      u[i] = scale * m[m0 + i];
      if (!Double.isFinite(u[i])) {
        return Status.NOT_FINITE;
      }
    }
    for (int i = 0; i < n; i++) {
      u[i * n + i] += damping;
    }
    int pivot = factorise(u, n);
    if (pivot >= 0) {
      return Status.notPositiveDefinite(pivot);
    }
    double[] w = Rows.transpose(invertUpper(u, n), 0, n, n);
    double[] result = new double[n * n];
    Rows.addSymmetricSquare(result, 0, n, 1, w, n, true);
    Rows.mirrorLower(result, 0, n);
    for (double x : result) {
      if (!Double.isFinite(x)) {
        return Status.NOT_FINITE;
      }
    }
    System.arraycopy(result, 0, inverse, i0, n * n);
    return Status.OK;
  }

  /** Replaces the upper half by U with {@code U'U = A}; returns the pivot that failed, or -1. */
  private static int factorise(double[] u, int n) {
    for (int start = 0; start < n; start += PANEL) {
      int end = Math.min(n, start + PANEL);
      int first = start;
      for (int k = start; k < end; k++) {
        int diagonal = k * n + k;
        Rows.addCombination(
            u, diagonal, n - k, -1, u, first * n + k, n, u, first * n + k, n, k - first);
        double pivot = u[diagonal];
        if (!(pivot > 0)) {
          return k;
        }
        double reciprocal = 1 / Math.sqrt(pivot);
        for (int j = 0; j < n - k; j++) {
          u[diagonal + j] *= reciprocal;
        }
      }
      Rows.chunks(
          n - end,
          (from, to) -> {
            for (int i = end + from; i < end + to; i++) {
              int row = first * n + i;
              Rows.addCombination(u, i * n + i, n - i, -1, u, row, n, u, row, n, end - first);
            }
          });
    }
    return -1;
  }

  /** The inverse of the upper triangular U, zero below the diagonal. */
  private static double[] invertUpper(double[] u, int n) {
    double[] v = new double[n * n];
    Rows.chunks(
        n,
        (from, to) -> {
          for (int i = to - 1; i >= 0; i--) {
            int left = Math.max(i, from);
            double reciprocal = 1 / u[i * n + i];
            if (left == i) {
              v[i * n + i] = 1;
            }
            Rows.addCombination(
                v,
                i * n + left,
                to - left,
                -1,
                u,
                i * n + i + 1,
                1,
                v,
                (i + 1) * n + left,
                n,
                to - 1 - i);
            for (int j = left; j < to; j++) {
              v[i * n + j] *= reciprocal;
            }
          }
        });
    return v;
  }
}
