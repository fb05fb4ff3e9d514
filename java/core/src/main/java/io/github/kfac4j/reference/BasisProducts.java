package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Basis;

/** Products of row-major matrices with one basis, which is stored in either of its forms. */
final class BasisProducts {
  /** Q; or V and W. */
  private final Strided[] matrices;

  private final int n;
  private final int r;

  BasisProducts(Basis basis, int k) {
    this.n = basis.dim();
    this.r = basis.reflections();
    this.matrices = of(basis, k);
  }

  /** Q, or V and W, as parts of the memory of a stack. */
  static Strided[] of(Basis basis, int k) {
    Strided q = ((JavaMatrixStack) basis.matrices()).matrix(k);
    int r = basis.reflections();
    if (r == 0) {
      return new Strided[] {q};
    }
    return new Strided[] {
      Strided.rows(q.values(), q.offset(), r),
      Strided.rows(q.values(), q.offset() + basis.dim() * r, r)
    };
  }

  /** {@code X Q} for X of {@code rows x n} without gaps. */
  double[] right(double[] x, int rows) {
    return right(x, rows, false);
  }

  /** {@code X Q'}. */
  double[] rightTransposed(double[] x, int rows) {
    return right(x, rows, true);
  }

  /** {@code Q'X} for X of {@code n x cols} without gaps. */
  double[] leftTransposed(double[] x, int cols) {
    return left(x, cols, true);
  }

  /** {@code Q X}. */
  double[] left(double[] x, int cols) {
    return left(x, cols, false);
  }

  /** {@code X - (X V) W'}, or V and W the other way round. */
  private double[] right(double[] x, int rows, boolean transpose) {
    if (r == 0) {
      Strided q = transpose ? transposed(matrices[0], n, n) : matrices[0];
      return add(new double[rows * n], rows, n, 1, Strided.rows(x, 0, n), q, n);
    }
    Strided first = matrices[transpose ? 1 : 0];
    Strided second = matrices[transpose ? 0 : 1];
    double[] small = add(new double[rows * r], rows, r, 1, Strided.rows(x, 0, n), first, n);
    return add(x.clone(), rows, n, -1, Strided.rows(small, 0, r), transposed(second, n, r), r);
  }

  /** {@code X - V (W'X)}, or V and W the other way round. */
  private double[] left(double[] x, int cols, boolean transpose) {
    if (r == 0) {
      Strided q = transpose ? matrices[0].transposed() : matrices[0];
      return add(new double[n * cols], n, cols, 1, q, Strided.rows(x, 0, cols), n);
    }
    Strided first = matrices[transpose ? 0 : 1].transposed();
    Strided second = matrices[transpose ? 1 : 0];
    double[] small = add(new double[r * cols], r, cols, 1, first, Strided.rows(x, 0, cols), n);
    return add(x.clone(), n, cols, -1, second, Strided.rows(small, 0, cols), r);
  }

  private static Strided transposed(Strided x, int rows, int cols) {
    Strided target = Strided.rows(new double[rows * cols], 0, rows);
    DenseAlgebra.transpose(x, rows, cols, target);
    return target;
  }

  private static double[] add(
      double[] c, int m, int n, double alpha, Strided a, Strided x, int depth) {
    DenseAlgebra.multiply(Strided.rows(c, 0, n), m, n, alpha, a, x, depth);
    return c;
  }
}
