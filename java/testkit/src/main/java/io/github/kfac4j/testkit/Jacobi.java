package io.github.kfac4j.testkit;

import java.util.Arrays;

/**
 * Eigendecompositions by cyclic Jacobi rotations in fp64 (Golub and Van Loan, Matrix Computations,
 * section 8.5): slow, but sure to converge and independent of what it is compared with.
 *
 * @param values in no order
 * @param vectors {@code [n, n]}, as columns
 */
public record Jacobi(double[] values, double[] vectors) {
  private static final int SWEEPS = 60;

  /** Decomposes a symmetric n x n matrix. */
  public static Jacobi of(double[] symmetric, int n) {
    double[] a = symmetric.clone();
    double[] rows = new double[n * n];
    for (int i = 0; i < n; i++) {
      rows[i * (n + 1)] = 1;
    }
    double negligible = 0x1p-60 * largest(a);
    boolean rotated = true;
    for (int sweep = 0; rotated; sweep++) {
      if (sweep == SWEEPS) {
        throw new AssertionError("no convergence after " + SWEEPS + " sweeps");
      }
      rotated = false;
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          double product = Math.abs(a[p * n + p]) * Math.abs(a[q * n + q]);
          if (Math.abs(a[p * n + q]) > 0x1p-54 * Math.sqrt(product) + negligible) {
            rotate(a, rows, n, p, q);
            rotated = true;
          }
        }
      }
    }
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = a[i * (n + 1)];
    }
    return new Jacobi(values, Literal.transpose(rows, n, n));
  }

  private static double largest(double[] a) {
    return Arrays.stream(a).map(Math::abs).max().orElse(0);
  }

  private static void rotate(double[] a, double[] rows, int n, int p, int q) {
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(theta, 1));
    double c = 1 / Math.hypot(t, 1);
    double s = t * c;
    double moved = t * a[p * n + q];
    double app = a[p * n + p] - moved;
    double aqq = a[q * n + q] + moved;
    rotateRows(a, n, p, q, c, s);
    rotateRows(rows, n, p, q, c, s);
    for (int i = 0; i < n; i++) {
      a[i * n + p] = a[p * n + i];
      a[i * n + q] = a[q * n + i];
    }
    a[p * n + p] = app;
    a[q * n + q] = aqq;
    a[p * n + q] = 0;
    a[q * n + p] = 0;
  }

  private static void rotateRows(double[] x, int n, int p, int q, double c, double s) {
    for (int i = 0; i < n; i++) {
      double xp = x[p * n + i];
      double xq = x[q * n + i];
      x[p * n + i] = c * xp - s * xq;
      x[q * n + i] = s * xp + c * xq;
    }
  }
}
