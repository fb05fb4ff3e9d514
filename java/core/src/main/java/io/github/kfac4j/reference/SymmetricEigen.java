package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Status;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The eigendecomposition of a symmetric matrix: Householder reduction to tridiagonal form, then the
 * implicit QL iteration (Golub and Van Loan, Matrix Computations, section 8.3).
 *
 * <p>Every finite matrix has one, of whatever rank and scale. The largest element is brought into
 * [1, 2) by a power of two, so that nothing overflows or loses digits to underflow on the way, and
 * an off-diagonal element counts as zero when it is below the rounding of the whole matrix. A
 * comparison with its two neighbours on the diagonal alone, which is usual, is never met in a block
 * of rounding errors, such as the null space of a matrix of low rank leaves behind.
 */
final class SymmetricEigen {
  /** An eigenvalue takes one or two sweeps, seldom more than eight. */
  private static final int MAX_SWEEPS = 30;

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
   * writes nothing. The only failure of a finite {@code scale * M} is an eigenvalue beyond the
   * largest double.
   */
  static Status decompose(
      double[] m, int m0, int n, double scale, double[] vectors, int v0, double[] values, int w0) {
    double[] a = new double[n * n];
    double largest = 0;
    for (int i = 0; i < n * n; i++) {
      a[i] = scale * m[m0 + i];
      if (!Double.isFinite(a[i])) {
        return Status.NOT_FINITE;
      }
      largest = Math.max(largest, Math.abs(a[i]));
    }
    int exponent = exponent(largest);
    for (int i = 0; i < n * n; i++) {
      a[i] = Math.scalb(a[i], -exponent);
    }
    SymmetricEigen eigen = new SymmetricEigen(n, a);
    eigen.tridiagonalise();
    if (!eigen.iterate()) {
      return Status.NOT_CONVERGED;
    }
    for (int i = 0; i < n; i++) {
      eigen.d[i] = Math.scalb(eigen.d[i], exponent);
      if (!Double.isFinite(eigen.d[i])) {
        return Status.NOT_FINITE;
      }
    }
    eigen.store(vectors, v0, values, w0);
    return Status.OK;
  }

  /** The power of two in [x / 2, x], of subnormal numbers too; 0 for 0. */
  private static int exponent(double x) {
    if (x == 0) {
      return 0;
    }
    return x < Double.MIN_NORMAL ? Math.getExponent(x * 0x1p54) - 54 : Math.getExponent(x);
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
    double negligible = Math.ulp(1.0) * norm();
    for (int l = 0; l < n; l++) {
      int sweeps = 0;
      for (int m = split(l, negligible); m != l; m = split(l, negligible)) {
        if (sweeps++ == MAX_SWEEPS) {
          return false;
        }
        sweep(l, m);
      }
    }
    return true;
  }

  /** The largest row sum of the tridiagonal matrix. */
  private double norm() {
    double norm = 0;
    for (int i = 0; i < n; i++) {
      double before = i == 0 ? 0 : Math.abs(e[i - 1]);
      norm = Math.max(norm, before + Math.abs(d[i]) + Math.abs(e[i]));
    }
    return norm;
  }

  /** The end of the unreduced block that starts at l. */
  private int split(int l, double negligible) {
    int m = l;
    while (m < n - 1 && Math.abs(e[m]) > negligible) {
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
