package io.github.kfac4j.testkit.checks;

/**
 * The inverse of a symmetric positive definite matrix in plain fp32: Cholesky, the inverse of the
 * factor, its product with itself. What LAPACK's fp32 routines do, without their blocking; its
 * error is the yardstick for other inverses.
 */
final class PlainCholesky {
  private PlainCholesky() {}

  /**
   * Inverts {@code matrix}, of which each element is first rounded to fp32.
   *
   * @return the inverse; it holds NaN if a pivot is not positive
   */
  static double[] inverse(double[] matrix, int n) {
    float[][] u = factor(matrix, n);
    float[][] v = inverseOfUpper(u, n);
    double[] inverse = new double[n * n];
    float[] row = new float[n];
    for (int i = 0; i < n; i++) { // V V', row by row
      for (int j = i; j < n; j++) {
        row[j] = dot(v[i], v[j], j, n);
      }
      for (int j = i; j < n; j++) {
        inverse[i * n + j] = row[j];
        inverse[j * n + i] = row[j];
      }
    }
    return inverse;
  }

  /** Upper triangular U with {@code U'U = A}. */
  private static float[][] factor(double[] matrix, int n) {
    float[][] u = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        u[i][j] = (float) matrix[i * n + j];
      }
    }
    for (int k = 0; k < n; k++) {
      float pivot = (float) Math.sqrt(u[k][k]);
      for (int j = k; j < n; j++) {
        u[k][j] /= pivot;
      }
      for (int i = k + 1; i < n; i++) {
        subtract(u[i], u[k][i], u[k], i, n);
      }
    }
    return u;
  }

  /** Upper triangular V with {@code U V = I}. */
  private static float[][] inverseOfUpper(float[][] u, int n) {
    float[][] v = new float[n][n];
    for (int i = n - 1; i >= 0; i--) {
      v[i][i] = 1;
      for (int k = i + 1; k < n; k++) {
        subtract(v[i], u[i][k], v[k], k, n);
      }
      for (int j = i; j < n; j++) {
        v[i][j] /= u[i][i];
      }
    }
    return v;
  }

  /** {@code x -= factor y} on elements {@code [from, to)}. */
  private static void subtract(float[] x, float factor, float[] y, int from, int to) {
    for (int j = from; j < to; j++) {
      x[j] -= factor * y[j];
    }
  }

  private static float dot(float[] x, float[] y, int from, int to) {
    float sum = 0;
    for (int j = from; j < to; j++) {
      sum += x[j] * y[j];
    }
    return sum;
  }
}
