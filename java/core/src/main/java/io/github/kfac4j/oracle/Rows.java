package io.github.kfac4j.oracle;

import java.util.stream.IntStream;

/**
 * Dense linear algebra on flat row-major fp64 arrays. Products rest on {@link RowBlock}. Work is
 * split by rows of the result: the bits do not depend on the number of threads.
 */
final class Rows {
  private static final int ROW_CHUNK = 32;

  /** Side of the squares in which a matrix is transposed, so that both stay in the cache. */
  private static final int TILE = 32;

  private Rows() {}

  /** {@code c[0, n) += alpha * sum over p < depth of a[p * as] * x[p * xs + [0, n)]}. */
  static void addCombination(
      double[] c,
      int c0,
      int n,
      double alpha,
      double[] a,
      int a0,
      int as,
      double[] x,
      int x0,
      int xs,
      int depth) {
    int p = 0;
    for (; p + 4 <= depth; p += 4) {
      double f0 = alpha * a[a0 + p * as];
      double f1 = alpha * a[a0 + (p + 1) * as];
      double f2 = alpha * a[a0 + (p + 2) * as];
      double f3 = alpha * a[a0 + (p + 3) * as];
      int r0 = x0 + p * xs;
      int r1 = r0 + xs;
      int r2 = r1 + xs;
      int r3 = r2 + xs;
      for (int j = 0; j < n; j++) {
        double sum = Math.fma(f0, x[r0 + j], c[c0 + j]);
        sum = Math.fma(f1, x[r1 + j], sum);
        sum = Math.fma(f2, x[r2 + j], sum);
        c[c0 + j] = Math.fma(f3, x[r3 + j], sum);
      }
    }
    for (; p < depth; p++) {
      double f = alpha * a[a0 + p * as];
      int r = x0 + p * xs;
      for (int j = 0; j < n; j++) {
        c[c0 + j] = Math.fma(f, x[r + j], c[c0 + j]);
      }
    }
  }

  /** {@code C += alpha A B} with C {@code m x n} and A {@code m x depth}. */
  static void multiply(
      double[] c,
      int c0,
      int m,
      int n,
      double alpha,
      double[] a,
      int a0,
      double[] b,
      int b0,
      int depth) {
    chunks(
        m,
        (from, to) -> {
          RowBlock block = RowBlock.create();
          for (int p = 0; p < depth; p += RowBlock.DEPTH) {
            int d = Math.min(RowBlock.DEPTH, depth - p);
            for (int j = 0; j < n; j += RowBlock.WIDTH) {
              int w = Math.min(RowBlock.WIDTH, n - j);
              block.load(b, b0 + p * n + j, n, d, w);
              int a1 = a0 + from * depth + p;
              block.addTo(c, c0 + from * n + j, n, to - from, 0, w, alpha, a, a1, depth, 1);
            }
          }
        });
  }

  /**
   * Lower half of {@code C += alpha X'X} with X {@code rows x n}; just above the diagonal is left
   * what is of no use. With {@code lowerTriangular} the entries of X above its diagonal are zero
   * and are not touched.
   */
  static void addSymmetricSquare(
      double[] c, int c0, int n, double alpha, double[] x, int rows, boolean lowerTriangular) {
    chunks(
        n,
        (from, to) -> {
          RowBlock block = RowBlock.create();
          for (int r = lowerTriangular ? from : 0; r < rows; r += RowBlock.DEPTH) {
            int d = Math.min(RowBlock.DEPTH, rows - r);
            for (int j = 0; j < to; j += RowBlock.WIDTH) {
              block.load(x, r * n + j, n, d, Math.min(RowBlock.WIDTH, to - j));
              for (int i = Math.max(from, j); i < to; i += RowBlock.STRIP) {
                int m = Math.min(RowBlock.STRIP, to - i);
                int w = Math.min(RowBlock.WIDTH, i + m - j);
                block.addTo(c, c0 + i * n + j, n, m, 0, w, alpha, x, r * n + i, 1, n);
              }
            }
          }
        });
  }

  /** Copies the lower half of an {@code n x n} matrix to the upper. */
  static void mirrorLower(double[] c, int c0, int n) {
    for (int top = 0; top < n; top += TILE) {
      int bottom = Math.min(n, top + TILE);
      for (int left = 0; left <= top; left += TILE) {
        for (int i = top; i < bottom; i++) {
          for (int j = left; j < Math.min(i, left + TILE); j++) {
            c[c0 + j * n + i] = c[c0 + i * n + j];
          }
        }
      }
    }
  }

  /** The transpose of a {@code rows x cols} matrix, as a new array. */
  static double[] transpose(double[] a, int a0, int rows, int cols) {
    double[] t = new double[rows * cols];
    for (int top = 0; top < rows; top += TILE) {
      for (int left = 0; left < cols; left += TILE) {
        for (int i = top; i < Math.min(rows, top + TILE); i++) {
          for (int j = left; j < Math.min(cols, left + TILE); j++) {
            t[j * rows + i] = a[a0 + i * cols + j];
          }
        }
      }
    }
    return t;
  }

  /** Work on the half-open range {@code [from, to)}. */
  interface RangeTask {
    void run(int from, int to);
  }

  /**
   * Runs the task on chunks of {@code [0, n)}, in parallel if there are several. Long and short
   * rows of a triangle come in turn, so that neighbouring chunks are as much work everywhere.
   */
  static void chunks(int n, RangeTask task) {
    int chunks = (n + ROW_CHUNK - 1) / ROW_CHUNK;
    IntStream range = IntStream.range(0, chunks);
    (chunks > 1 ? range.parallel() : range)
        .map(i -> i % 2 == 0 ? i / 2 : chunks - 1 - i / 2)
        .forEach(i -> task.run(i * ROW_CHUNK, Math.min(n, (i + 1) * ROW_CHUNK)));
  }
}
