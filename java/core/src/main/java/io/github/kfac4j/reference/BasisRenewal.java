package io.github.kfac4j.reference;

import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;

/**
 * The renewal of one basis, as {@link RenewRequest} defines it. Vectors are rows here, the leading
 * ones in descending order: a vector is only cleared of those with larger eigenvalues, whose
 * changes it would else be drowned in.
 */
final class BasisRenewal {
  private final JavaMatrixStack vectors;
  private final int k;
  private final int n;
  private final int r;
  private final double maxShare;
  private final Strided a;

  /** The leading vectors of before. */
  private final double[] before;

  BasisRenewal(RenewRequest request, int k) {
    this.vectors = (JavaMatrixStack) request.vectors();
    this.k = k;
    this.n = vectors.rows();
    this.r = request.leading();
    this.maxShare = request.maxShare();
    this.a = ((JavaMatrixStack) request.source()).matrix(k);
    this.before = new double[r * n];
    DenseAlgebra.transpose(vectors.matrix(k).at(0, n - r), n, r, reversed(before));
  }

  /** Rows in the opposite order. */
  private Strided reversed(double[] rows) {
    return new Strided(rows, (r - 1) * n, -n, 1);
  }

  Renewal run() {
    double squares = 0;
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += a.values()[a.index(i, i)];
      for (int j = 0; j < n; j++) {
        double x = a.values()[a.index(i, j)];
        squares += x * x;
      }
    }
    if (!Double.isFinite(squares)) {
      return Renewal.refused(Double.NaN);
    }
    double[] y = r == n ? before : orthonormal(Renewal.SHIFT * Math.max(0, trace) / n);
    double[] projected = times(times(y, a, r, n, n), rows(y, n).transposed(), r, n, r);
    double[] ritz = new double[r * r];
    double[] values = new double[r];
    if (!SymmetricEigen.decompose(projected, 0, r, 1, ritz, 0, values, 0).ok()) {
      return Renewal.refused(Double.NaN);
    }
    double leading = 0;
    for (double value : values) {
      leading += value * value;
    }
    double share = Renewal.share(squares, leading);
    double[] cross = times(before, rows(y, n).transposed(), r, n, r); // Q1'Y
    double[] solution = r == n ? null : Gauss.invert(plusIdentity(cross), r);
    if (!(share <= maxShare) || r < n && !Renewal.isSafe(solution)) {
      return Renewal.refused(share);
    }
    if (r < n) {
      turnRest(y, solution);
    }
    double[] renewed = times(rows(ritz, r).transposed(), rows(y, n), r, r, n);
    DenseAlgebra.transpose(rows(renewed, n), r, n, vectors.matrix(k).at(0, n - r));
    double[] rotation = new double[r * r];
    double[] descending = times(cross, rows(ritz, r), r, r, r);
    for (int i = 0; i < r; i++) {
      System.arraycopy(descending, (r - 1 - i) * r, rotation, i * r, r);
    }
    return new Renewal(true, share, values, rotation);
  }

  /** {@code Q2 - F (I + Y'Q1)^-1 Y'Q2}, as Q1'Q2 is 0. */
  private void turnRest(double[] y, double[] solution) {
    Strided rest = vectors.matrix(k);
    double[] onRest = times(y, rest, r, n, n - r);
    double[] factors = times(solution, rows(onRest, n - r), r, r, n - r);
    double[] f = new double[r * n];
    for (int i = 0; i < f.length; i++) {
      f[i] = before[i] + y[i];
    }
    DenseAlgebra.multiply(rest, n, n - r, -1, rows(f, n).transposed(), rows(factors, n - r), r);
  }

  /** {@code I + X'}. */
  private double[] plusIdentity(double[] x) {
    double[] sum = new double[r * r];
    DenseAlgebra.transpose(rows(x, r), r, r, rows(sum, r));
    for (int i = 0; i < r; i++) {
      sum[i * (r + 1)]++;
    }
    return sum;
  }

  /** An orthonormal basis of the rows of {@code Q1'(A + shift I)}, each next to its old row. */
  private double[] orthonormal(double shift) {
    double[] z = times(before, a, r, n, n);
    for (int i = 0; i < z.length; i++) {
      z[i] += shift * before[i];
    }
    double[] y = Householder.orthonormal(z, r, n);
    for (int i = 0; i < r; i++) {
      double dot = 0;
      for (int j = i * n; j < (i + 1) * n; j++) {
        dot += y[j] * before[j];
      }
      for (int j = i * n; dot < 0 && j < (i + 1) * n; j++) {
        y[j] = -y[j];
      }
    }
    return y;
  }

  private static Strided rows(double[] values, int width) {
    return Strided.rows(values, 0, width);
  }

  private static double[] times(double[] x, Strided y, int m, int depth, int n) {
    return times(rows(x, depth), y, m, depth, n);
  }

  private static double[] times(Strided x, Strided y, int m, int depth, int n) {
    double[] product = new double[m * n];
    Strided right = y;
    if (y.colStep() != 1) { // products want rows without gaps
      right = rows(new double[depth * n], n);
      DenseAlgebra.transpose(y.transposed(), n, depth, right);
    }
    DenseAlgebra.multiply(rows(product, n), m, n, 1, x, right, depth);
    return product;
  }
}
