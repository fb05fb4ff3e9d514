package io.github.kfac4j.reference;

import java.util.Arrays;

/** Dense linear algebra on row-major fp64 arrays. Products rest on {@link TileProduct}. */
final class DenseAlgebra {
  /** Side of the squares in which a matrix is transposed: a cache line's. */
  private static final int TILE = 8;

  private DenseAlgebra() {}

  /**
   * {@code C += alpha A X} for C of one row of n elements, A of {@code depth}, and X {@code depth x
   * n}; the elements of the rows of C and X lie without gaps.
   */
  static void addCombination(Strided c, int n, double alpha, Strided a, Strided x, int depth) {
    // an array of its own: the JIT compiler must see that no element of X is written
    double[] sums = Arrays.copyOfRange(c.values(), c.offset(), c.offset() + n);
    double[] values = x.values();
    for (int p = 0; p < depth; p++) {
      double f = alpha * a.values()[a.index(0, p)];
      int row = x.index(p, 0);
      for (int j = 0; j < n; j++) {
        sums[j] = Math.fma(f, values[row + j], sums[j]);
      }
    }
    System.arraycopy(sums, 0, c.values(), c.offset(), n);
  }

  /**
   * {@code C += alpha A X} with C {@code m x n} and A {@code m x depth}; the elements of the rows
   * of C and X lie without gaps.
   */
  static void multiply(Strided c, int m, int n, double alpha, Strided a, Strided x, int depth) {
    Parallel.chunks(
        m,
        (double) n * depth,
        (from, to) -> {
          TileProduct product = TileProduct.ofThread();
          for (int j = 0; j < n; j += TileProduct.COLS) {
            int w = Math.min(TileProduct.COLS, n - j);
            product.addTo(c.at(from, j), to - from, w, w, alpha, a.at(from, 0), x.at(0, j), depth);
          }
        });
  }

  /**
   * Lower half of {@code C += alpha X'X} with X {@code rows x n}; what is left just above the
   * diagonal is of no use. With {@code lowerTriangular} the entries of X above its diagonal are
   * zero.
   *
   * @param c without gaps within rows, as x
   */
  static void addSymmetricSquare(
      Strided c, int n, double alpha, Strided x, int rows, boolean lowerTriangular) {
    Parallel.chunks(
        n,
        (double) n * rows / 2,
        (from, to) -> {
          TileProduct product = TileProduct.ofThread();
          int first = lowerTriangular ? from : 0;
          for (int j = 0; j < to; j += TileProduct.COLS) {
            int w = Math.min(TileProduct.COLS, to - j);
            Strided factors = x.at(first, from).transposed();
            product.addTo(
                c.at(from, j),
                to - from,
                w,
                from + 1 - j,
                alpha,
                factors,
                x.at(first, j),
                rows - first);
          }
        });
  }

  /** Copies the lower half of an {@code n x n} matrix to the upper. */
  static void mirrorLower(Strided c, int n) {
    Parallel.chunks(
        n,
        n,
        (from, to) -> {
          transpose(c.at(from, 0), to - from, from, c.at(0, from));
          for (int i = from + 1; i < to; i++) {
            for (int j = from; j < i; j++) {
              c.values()[c.index(j, i)] = c.values()[c.index(i, j)];
            }
          }
        });
  }

  /** Writes the transpose of a {@code rows x cols} matrix. */
  static void transpose(Strided a, int rows, int cols, Strided target) {
    double[] from = a.values();
    double[] to = target.values();
    for (int top = 0; top < rows; top += TILE) {
      for (int left = 0; left < cols; left += TILE) {
        for (int j = left; j < Math.min(cols, left + TILE); j++) {
          for (int i = top; i < Math.min(rows, top + TILE); i++) {
            to[target.index(j, i)] = from[a.index(i, j)];
          }
        }
      }
    }
  }
}
