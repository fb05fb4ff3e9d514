package io.github.kfac4j.reference;

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
