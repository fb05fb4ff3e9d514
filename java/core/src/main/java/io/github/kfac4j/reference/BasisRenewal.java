package io.github.kfac4j.reference;

import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import java.util.Arrays;

/**
 * The renewal of one basis, as {@link RenewRequest} defines it. Vectors are rows here, the leading
 * ones by falling eigenvalues: a vector is only cleared of those with larger ones, whose changes it
 * would else be drowned in.
 */
final class BasisRenewal {
  private final RenewRequest request;
  private final int k;
  private final int n;
  private final int r;
  private final Strided a;
  private final Strided target;
  private double share = Double.NaN;

  /** The new leading vectors, as rows. */
  private double[] vectors;

  private double[] values;
  private double[] rotation;

  BasisRenewal(RenewRequest request, int k) {
    this.request = request;
    this.k = k;
    this.n = request.basis().dim();
    this.r = request.leading();
    this.a = ((JavaMatrixStack) request.source()).matrix(k);
    this.target = ((JavaMatrixStack) request.basis().matrices()).matrix(k);
  }

  /** Finds the new vectors; whether they are to be accepted. */
  boolean find() {
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
      return false;
    }
    double[] before = request.isWhole() ? columns() : leading();
    double[] y = request.isWhole() ? identity() : start(before);
    int iterations = request.isWhole() ? 0 : request.beginsAnew() ? RenewRequest.FIRST : 1;
    for (int i = 0; i < iterations; i++) {
      y = iterate(y, Renewal.SHIFT * Math.max(0, trace) / n);
    }
    double[] projected = times(times(y, a, r, n, n), rows(y, n).transposed(), r, n, r);
    double[] ritz = new double[r * r];
    values = new double[r];
    if (!SymmetricEigen.decompose(projected, 0, r, 1, ritz, 0, values, 0).ok()) {
      return false;
    }
    if (!request.isWhole()) {
      reverse(ritz);
    }
    share = Renewal.share(squares, Arrays.stream(values).map(d -> d * d).sum());
    vectors = times(rows(ritz, r).transposed(), rows(y, n), r, r, n);
    rotation = before == null ? null : times(before, rows(vectors, n).transposed(), r, n, r);
    return share <= request.maxShare();
  }

  /** Puts the new basis in the place of the old. */
  Renewal accept() {
    if (request.isWhole()) {
      DenseAlgebra.transpose(rows(vectors, n), n, n, target);
    } else {
      double[] v = new double[r * n];
      Householder.reflections(vectors, r, n, v);
      Arrays.fill(target.values(), target.offset(), target.offset() + n * n, 0);
      Strided[] parts = BasisProducts.of(request.renewed(), k);
      DenseAlgebra.transpose(rows(v, n), r, n, parts[0]);
      DenseAlgebra.transpose(rows(vectors, n), r, n, parts[1]);
    }
    return new Renewal(true, share, values, rotation);
  }

  Renewal refused() {
    return Renewal.refused(share);
  }

  private double[] columns() {
    double[] rows = new double[n * n];
    DenseAlgebra.transpose(target, n, n, rows(rows, n));
    return rows;
  }

  private double[] identity() {
    double[] rows = new double[n * n];
    for (int i = 0; i < n; i++) {
      rows[i * (n + 1)] = 1;
    }
    return rows;
  }

  /** The leading vectors of before, {@code I - V W'} on the first r unit vectors; null if none. */
  private double[] leading() {
    if (request.beginsAnew()) {
      return null;
    }
    double[] rows = new double[r * n];
    for (int i = 0; i < r; i++) {
      rows[i * (n + 1)] = 1;
    }
    double[] v = new double[r * n];
    Strided[] parts = BasisProducts.of(request.basis(), k);
    DenseAlgebra.transpose(parts[0], n, r, rows(v, n));
    DenseAlgebra.multiply(rows(rows, n), r, n, -1, parts[1], rows(v, n), r);
    return rows;
  }

  private double[] start(double[] before) {
    double[] rows = new double[r * n];
    Arrays.setAll(rows, i -> before == null ? RenewRequest.sign(i / n, i % n) : before[i]);
    return rows;
  }

  /** An orthonormal basis of the rows of {@code Y (A + shift I)}. */
  private double[] iterate(double[] y, double shift) {
    double[] z = times(y, a, r, n, n);
    for (int i = 0; i < z.length; i++) {
      z[i] += shift * y[i];
    }
    return Householder.orthonormal(z, r, n);
  }

  /** From rising eigenvalues to falling ones. */
  private void reverse(double[] ritz) {
    double[] rising = ritz.clone();
    Arrays.setAll(ritz, i -> rising[i / r * r + r - 1 - i % r]);
    double[] all = values.clone();
    Arrays.setAll(values, i -> all[r - 1 - i]);
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
