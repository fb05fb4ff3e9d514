package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.Status;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The eigendecomposition of a symmetric matrix: Householder reduction to tridiagonal form, then the
 * implicit QL iteration (Golub and Van Loan, Matrix Computations, section 8.3).
 */
final class SymmetricEigen {
  private static final int MAX_SWEEPS = 60;

  private final int n;
  private final double[] a;
  private final double[] d;
  private final double[] e;

  /** Row i is the i-th column of the accumulated orthogonal matrix: rotations run along rows. */
  private final double[] z;

  private SymmetricEigen(int n, double[] a) {
    this.n = n;
    this.a = a;
    this.d = new double[n];
    this.e = new double[n];
    this.z = new double[n * n];
  }

  /**
   * Writes eigenvectors (as columns) and eigenvalues (ascending) of {@code scale * M}; on failure
   * writes nothing.
   */
  static Status decompose(
      double[] m, int m0, int n, double scale, double[] vectors, int v0, double[] values, int w0) {
    double[] a = new double[n * n];
    for (int i = 0; i < n * n; i++) {
      a[i] = scale * m[m0 + i];
      if (!Double.isFinite(a[i])) {
        return Status.NOT_FINITE;
      }
    }
    SymmetricEigen eigen = new SymmetricEigen(n, a);
    eigen.tridiagonalise();
    if (!eigen.iterate()) {
      return Status.NOT_CONVERGED;
    }
    eigen.store(vectors, v0, values, w0);
    return Status.OK;
  }

  /** Reduces A to diagonal d and subdiagonal e, Z' A Z tridiagonal. */
  private void tridiagonalise() {
    double[] taus = new double[n];
    for (int k = 0; k + 2 < n; k++) {
      taus[k] = reflect(k);
    }
    for (int i = 0; i < n; i++) {
      d[i] = a[i * n + i];
      z[i * n + i] = 1;
    }
    if (n > 1) {
      e[n - 2] = a[(n - 1) * n + n - 2];
    }
    // Z' = H_(n-3) ... H_0 transposed is built backwards, so that it stays the identity in front
    for (int k = n - 3; k >= 0; k--) {
      int from = k + 1;
      double tau = taus[k];
      if (tau == 0) {
        continue;
      }
      int v = k * n;
      Parallel.chunks(
          n - from,
          2 * (n - from),
          (lo, hi) -> {
            for (int i = from + lo; i < from + hi; i++) {
              double dot = 0;
              for (int j = from; j < n; j++) {
                dot += z[i * n + j] * a[v + j];
              }
              double f = -tau * dot;
              for (int j = from; j < n; j++) {
                z[i * n + j] = Math.fma(f, a[v + j], z[i * n + j]);
              }
            }
          });
    }
  }

  /**
   * Annihilates column k below the subdiagonal by {@code H = I - tau v v'}, leaves v in row k
   * beyond the diagonal, sets e[k] and returns tau.
   */
  private double reflect(int k) {
    int from = k + 1;
    int row = k * n;
    double scale = 0;
    for (int j = from; j < n; j++) {
      scale = Math.max(scale, Math.abs(a[row + j]));
    }
    double tail = 0;
    for (int j = from + 1; j < n; j++) {
      tail = Math.max(tail, Math.abs(a[row + j]));
    }
    if (tail == 0) {
      e[k] = a[row + from];
      return 0;
    }
    double norm = 0;
    for (int j = from; j < n; j++) {
      a[row + j] /= scale;
      norm += a[row + j] * a[row + j];
    }
    double alpha = -Math.copySign(Math.sqrt(norm), a[row + from]);
    e[k] = alpha * scale;
    // v = x - alpha e1, tau = 2 / v'v
    double tau = 1 / (norm - alpha * a[row + from]);
    a[row + from] -= alpha;
    double[] p = new double[n];
    Parallel.chunks(
        n - from,
        2 * (n - from),
        (lo, hi) -> {
          for (int i = from + lo; i < from + hi; i++) {
            double dot = 0;
            for (int j = from; j < n; j++) {
              dot += a[i * n + j] * a[row + j];
            }
            p[i] = tau * dot;
          }
        });
    double half = 0;
    for (int j = from; j < n; j++) {
      half += p[j] * a[row + j];
    }
    half *= tau / 2;
    for (int j = from; j < n; j++) {
      p[j] -= half * a[row + j];
    }
    Parallel.chunks(
        n - from,
        2 * (n - from),
        (lo, hi) -> {
          for (int i = from + lo; i < from + hi; i++) {
            double vi = -a[row + i];
            double pi = -p[i];
            for (int j = from; j < n; j++) {
              a[i * n + j] = Math.fma(vi, p[j], Math.fma(pi, a[row + j], a[i * n + j]));
            }
          }
        });
    return tau;
  }

  /** Implicit QL iteration on (d, e), its rotations applied to the rows of z. */
  private boolean iterate() {
    for (int l = 0; l < n; l++) {
      int sweeps = 0;
      for (int m = split(l); m != l; m = split(l)) {
        if (sweeps++ == MAX_SWEEPS) {
          return false;
        }
        sweep(l, m);
      }
    }
    return true;
  }

  /** The end of the unreduced block that starts at l. */
  private int split(int l) {
    int m = l;
    while (m < n - 1
        && Math.abs(e[m]) > Math.ulp(1.0) * (Math.abs(d[m]) + Math.abs(d[m + 1]))
        && Math.abs(e[m]) > Double.MIN_NORMAL) {
      m++;
    }
    return m;
  }

  private void sweep(int l, int m) {
    double g = (d[l + 1] - d[l]) / (2 * e[l]);
    g = d[m] - d[l] + e[l] / (g + Math.copySign(Math.hypot(g, 1), g));
    double s = 1;
    double c = 1;
    double p = 0;
    for (int i = m - 1; i >= l; i--) {
      double f = s * e[i];
      double b = c * e[i];
      double r = Math.hypot(f, g);
      e[i + 1] = r;
      if (r == 0) {
        d[i + 1] -= p;
        e[m] = 0;
        return;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1] - p;
      r = (d[i] - g) * s + 2 * c * b;
      p = s * r;
      d[i + 1] = g + p;
      g = c * r - b;
      rotate(i * n, s, c);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
  }

  private void rotate(int row, double s, double c) {
    for (int j = 0; j < n; j++) {
      double lower = z[row + j];
      double upper = z[row + n + j];
      z[row + n + j] = s * lower + c * upper;
      z[row + j] = c * lower - s * upper;
    }
  }

  private void store(double[] vectors, int v0, double[] values, int w0) {
    Integer[] order = IntStream.range(0, n).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingDouble(i -> d[i]));
    for (int k = 0; k < n; k++) {
      int source = order[k];
      values[w0 + k] = d[source];
      for (int i = 0; i < n; i++) {
        vectors[v0 + i * n + k] = z[source * n + i];
      }
    }
  }
}
