package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.Status;
import java.util.stream.IntStream;

/** The damped inverse of a symmetric matrix: Cholesky, inverse of the factor, symmetric product. */
final class Cholesky {
  private static final int PANEL = 64;

  /** Columns of the inverse of U that are worked on together. */
  private static final int COLUMNS = 128;

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

  /**
   * Replaces the upper half by U with {@code U'U = A}, the lower by nothing of use; returns the
   * pivot that failed, or -1.
   */
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
            RowBlock block = RowBlock.create();
            for (int p = first; p < end; p += RowBlock.DEPTH) {
              int depth = Math.min(RowBlock.DEPTH, end - p);
              for (int j = end + from; j < n; j += RowBlock.WIDTH) {
                int w = Math.min(RowBlock.WIDTH, n - j);
                block.load(u, p * n + j, n, depth, w);
                for (int i = end + from; i < Math.min(end + to, j + w); i += RowBlock.STRIP) {
                  int m = Math.min(RowBlock.STRIP, Math.min(end + to, j + w) - i);
                  int skip = Math.max(0, i - j);
                  block.addTo(u, i * n + j + skip, n, m, skip, w - skip, -1, u, p * n + i, 1, n);
                }
              }
            }
          });
    }
    return -1;
  }

  /** The inverse of the upper triangular U, zero below the diagonal. */
  private static double[] invertUpper(double[] u, int n) {
    double[] v = new double[n * n];
    int chunks = (n + COLUMNS - 1) / COLUMNS;
    IntStream.range(0, chunks)
        .parallel()
        .forEach(k -> invertColumns(u, n, v, k * COLUMNS, Math.min(n, (k + 1) * COLUMNS)));
    return v;
  }

  /** Columns [from, to) of the inverse, from the last row that is not zero upwards. */
  private static void invertColumns(double[] u, int n, double[] v, int from, int to) {
    RowBlock block = RowBlock.create();
    int width = to - from;
    for (int first = (to - 1) / RowBlock.DEPTH * RowBlock.DEPTH; first >= 0; ) {
      int end = Math.min(to, first + RowBlock.DEPTH);
      for (int p = end; p < to; p += RowBlock.DEPTH) {
        block.load(v, p * n + from, n, Math.min(RowBlock.DEPTH, to - p), width);
        block.addTo(v, first * n + from, n, end - first, 0, width, -1, u, first * n + p, n, 1);
      }
      for (int i = end - 1; i >= first; i--) {
        if (i >= from) {
          v[i * n + i] += 1;
        }
        int below = (i + 1) * n + from;
        Rows.addCombination(
            v, i * n + from, width, -1, u, i * n + i + 1, 1, v, below, n, end - 1 - i);
        double reciprocal = 1 / u[i * n + i];
        for (int j = i * n + from; j < i * n + to; j++) {
          v[j] *= reciprocal;
        }
      }
      first -= RowBlock.DEPTH;
    }
  }
}
