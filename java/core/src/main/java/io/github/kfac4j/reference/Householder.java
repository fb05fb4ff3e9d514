package io.github.kfac4j.reference;

import java.util.Arrays;

/** Orthonormal bases by reflections (Golub and Van Loan, Matrix Computations, section 5.2). */
final class Householder {
  private Householder() {}

  /**
   * The rows of {@code z} made orthonormal, one after the other, up to signs: those before a row
   * span with it what the rows of z do. Where they depend on each other there is still a basis.
   *
   * @param z {@code [r, n]}, r at most n; destroyed
   */
  static double[] orthonormal(double[] z, int r, int n) {
    double[] taus = new double[r];
    for (int i = 0; i < r; i++) {
      taus[i] = reflector(z, i, n);
      int first = i + 1;
      int row = i;
      Parallel.chunks(
          r - first,
          4.0 * (n - i),
          (from, to) -> reflect(z, row, n, taus[row], z, first + from, first + to));
    }
    double[] y = new double[r * n];
    for (int i = r - 1; i >= 0; i--) {
      y[i * (n + 1)] = 1;
      int row = i;
      Parallel.chunks(
          r - i,
          4.0 * (n - i),
          (from, to) -> reflect(z, row, n, taus[row], y, row + from, row + to));
    }
    return y;
  }

  /**
   * The reflections that take unit vectors to the rows of an orthonormal {@code x}, up to signs:
   * the rows of W, in the place of x, and of V, of {@code I - V W'}, whose first columns are those
   * rows.
   *
   * @param x {@code [r, n]}
   * @param v {@code [r, n]}, zeros
   */
  static void reflections(double[] x, int r, int n, double[] v) {
    for (int i = 0; i < r; i++) {
      double tau = reflector(x, i, n);
      int row = i;
      Arrays.fill(x, i * n, i * (n + 1), 0);
      Parallel.chunks(
          r - i - 1,
          4.0 * (n - i),
          (from, to) -> reflect(x, row, n, tau, x, row + 1 + from, row + 1 + to));
      // v_i = tau (I - V W') w_i with those before it
      for (int j = 0; j < i; j++) {
        double dot = 0;
        for (int c = i; c < n; c++) {
          dot += x[j * n + c] * x[row * n + c];
        }
        for (int c = 0; c < n; c++) {
          v[row * n + c] -= tau * dot * v[j * n + c];
        }
      }
      for (int c = i; c < n; c++) {
        v[row * n + c] += tau * x[row * n + c];
      }
    }
  }

  /** Leaves v with {@code (I - tau v v') x} a multiple of unit vector i in place of x; tau. */
  private static double reflector(double[] z, int i, int n) {
    int row = i * n;
    double scale = 0;
    for (int j = i; j < n; j++) {
      scale = Math.max(scale, Math.abs(z[row + j]));
    }
    if (scale == 0) {
      return 0;
    }
    double norm = 0;
    for (int j = i; j < n; j++) {
      z[row + j] /= scale;
      norm += z[row + j] * z[row + j];
    }
    double alpha = Math.copySign(Math.sqrt(norm), z[row + i]);
    double tau = 1 / (norm + alpha * z[row + i]);
    z[row + i] += alpha;
    return tau;
  }

  /** Reflects rows of x from coordinate i on by the vector that row i of z holds. */
  private static void reflect(double[] z, int i, int n, double tau, double[] x, int from, int to) {
    for (int k = from; k < to; k++) {
      double dot = 0;
      for (int j = i; j < n; j++) {
        dot += z[i * n + j] * x[k * n + j];
      }
      double f = -tau * dot;
      for (int j = i; j < n; j++) {
        x[k * n + j] = Math.fma(f, z[i * n + j], x[k * n + j]);
      }
    }
  }
}
