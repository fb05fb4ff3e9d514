package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Status;
import java.util.Arrays;

/** The damped inverse of a symmetric matrix: Cholesky, inverse of the factor, symmetric product. */
final class Cholesky {
  private static final int PANEL = 64;

  /** Rows of it that are worked on together. */
  private static final int BLOCK = 16;

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
    double[] v = invertUpper(u, n);
    DenseAlgebra.transpose(Strided.rows(v, 0, n), n, n, Strided.rows(u, 0, n));
    Arrays.fill(v, 0);
    Strided result = Strided.rows(v, 0, n);
    DenseAlgebra.addSymmetricSquare(result, n, 1, Strided.rows(u, 0, n), n, true);
    DenseAlgebra.mirrorLower(result, n);
    for (double x : v) {
      if (!Double.isFinite(x)) {
        return Status.NOT_FINITE;
      }
    }
    System.arraycopy(v, 0, inverse, i0, n * n);
    return Status.OK;
  }

  /**
   * Replaces the upper half by U with {@code U'U = A}, the lower by nothing of use; returns the
   * pivot that failed, or -1.
   */
  private static int factorise(double[] u, int n) {
    Strided a = Strided.rows(u, 0, n);
    double[] reciprocals = new double[n];
    for (int start = 0; start < n; start += PANEL) {
      int first = start;
      int end = Math.min(n, start + PANEL);
      DenseAlgebra.mirrorLower(a.at(start, start), end - start);
      int pivot = factorisePanel(u, n, start, end, reciprocals);
      if (pivot >= 0) {
        return pivot;
      }
      Parallel.chunks(
          n - end,
          PANEL * PANEL,
          (from, to) -> {
            Strided panel = a.at(first, end + from);
            // what remains to be factorised is kept in the lower half
            DenseAlgebra.transpose(a.at(end + from, first), to - from, end - first, panel);
            solveColumns(u, n, first, end, end + from, end + to, reciprocals);
          });
      DenseAlgebra.addSymmetricSquare(
          a.at(end, end), n - end, -1, a.at(start, end), end - start, false);
    }
    return -1;
  }

  /** Factorises the diagonal block of rows [start, end); returns the pivot that failed, or -1. */
  private static int factorisePanel(double[] u, int n, int start, int end, double[] reciprocals) {
    Strided a = Strided.rows(u, 0, n);
    for (int k = start; k < end; k++) {
      int diagonal = k * n + k;
      Strided above = a.at(start, k);
      DenseAlgebra.addCombination(a.at(k, k), end - k, -1, above.transposed(), above, k - start);
      double pivot = u[diagonal];
      if (!(pivot > 0)) {
        return k;
      }
      reciprocals[k] = 1 / Math.sqrt(pivot);
      for (int j = 0; j < end - k; j++) {
        u[diagonal + j] *= reciprocals[k];
      }
    }
    return -1;
  }

  /** Columns [from, to) of rows [start, end) of U, beside their diagonal block. */
  private static void solveColumns(
      double[] u, int n, int start, int end, int from, int to, double[] reciprocals) {
    TileProduct product = TileProduct.ofThread();
    Strided a = Strided.rows(u, 0, n);
    int width = to - from;
    for (int first = start; first < end; first += BLOCK) {
      int last = Math.min(end, first + BLOCK);
      Strided factors = a.at(start, first).transposed();
      Strided above = a.at(start, from);
      product.addTo(
          a.at(first, from), last - first, width, width, -1, factors, above, first - start);
      for (int k = first; k < last; k++) {
        int row = k * n + from;
        Strided inBlock = a.at(first, k).transposed();
        DenseAlgebra.addCombination(
            a.at(k, from), width, -1, inBlock, a.at(first, from), k - first);
        for (int j = row; j < row + width; j++) {
          u[j] *= reciprocals[k];
        }
      }
    }
  }

  /** The inverse of the upper triangular U, zero below the diagonal. */
  private static double[] invertUpper(double[] u, int n) {
    double[] v = new double[n * n];
    Parallel.chunks(n, (double) n * n / 2, (from, to) -> invertColumns(u, n, v, from, to));
    return v;
  }

  /** Columns [from, to) of the inverse, from the last row that is not zero upwards. */
  private static void invertColumns(double[] u, int n, double[] v, int from, int to) {
    TileProduct product = TileProduct.ofThread();
    Strided a = Strided.rows(u, 0, n);
    Strided inverse = Strided.rows(v, 0, n);
    int width = to - from;
    for (int first = (to - 1) / BLOCK * BLOCK; first >= 0; first -= BLOCK) {
      int end = Math.min(to, first + BLOCK);
      Strided below = inverse.at(end, from);
      product.addTo(
          inverse.at(first, from),
          end - first,
          width,
          width,
          -1,
          a.at(first, end),
          below,
          to - end);
      for (int i = end - 1; i >= first; i--) {
        if (i >= from) {
          v[i * n + i] += 1;
        }
        Strided inBlock = inverse.at(i + 1, from);
        DenseAlgebra.addCombination(
            inverse.at(i, from), width, -1, a.at(i, i + 1), inBlock, end - 1 - i);
        double reciprocal = 1 / u[i * n + i];
        for (int j = i * n + from; j < i * n + to; j++) {
          v[j] *= reciprocal;
        }
      }
    }
  }
}
