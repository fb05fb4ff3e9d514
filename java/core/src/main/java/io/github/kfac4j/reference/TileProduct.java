package io.github.kfac4j.reference;

import java.util.Arrays;

/**
 * A product of matrices added to a tile of the result: what all large products rest on. Every
 * element is summed in the order of the depth, by fused multiply-adds, so that all kinds give the
 * same bits. An object is the work space of one thread, at most 160 KiB.
 */
abstract class TileProduct {
  /** The most rows of a tile. */
  static final int ROWS = 64;

  /** The most columns of a tile. */
  static final int COLS = 256;

  /** Rows of the tile that are summed together. */
  static final int STRIP = 4;

  /** Rows of the right operand in use at a time, so few that they stay in the first cache. */
  static final int DEPTH = 16;

  private static final ThreadLocal<TileProduct> OF_THREAD =
      ThreadLocal.withInitial(TileProducts.FASTEST);

  /** Pairs of rows of the tile. */
  private final double[][] sums = new double[ROWS / 2][];

  /** Pairs of rows of the right operand. */
  private final double[][] right = new double[DEPTH / 2][2 * COLS];

  private final double[] factors = new double[DEPTH * STRIP];

  /** The calling thread's, of the fastest kind that works here. */
  static TileProduct ofThread() {
    return OF_THREAD.get();
  }

  /**
   * {@code C += alpha A X}, where the rows of C and X lie without gaps.
   *
   * @param c {@code m x n}, at most {@link #ROWS} by {@link #COLS}
   * @param firstEnd where the first row of C ends if that is before n; each further row is longer
   *     by one; beyond is left what is of no use
   * @param a {@code m x depth}
   * @param x {@code depth x n}
   */
  final void addTo(
      Strided c, int m, int n, int firstEnd, double alpha, Strided a, Strided x, int depth) {
    for (int i = 0; i < m; i++) {
      System.arraycopy(c.values(), c.index(i, 0), sums(i), i % 2 * COLS, n);
    }
    for (int p = 0; p < depth; p += DEPTH) {
      int d = Math.min(DEPTH, depth - p);
      load(x, p, d, n);
      for (int i = 0; i < m; i += STRIP) {
        int rows = Math.min(STRIP, m - i); // beyond them sums are made, of old factors, and left
        for (int q = 0; q < d; q++) {
          int at = a.index(i, p + q);
          for (int r = 0; r < rows; r++) {
            factors[q * STRIP + r] = alpha * a.values()[at + r * a.rowStep()];
          }
        }
        int width = Math.min(n, firstEnd + i + rows - 1);
        addStrip(sums(i), sums(i + 2), width, right, (d + 1) / 2, factors);
      }
    }
    for (int i = 0; i < m; i++) {
      System.arraycopy(sums(i), i % 2 * COLS, c.values(), c.index(i, 0), n);
    }
  }

  private double[] sums(int i) {
    if (sums[i / 2] == null) {
      sums[i / 2] = new double[2 * COLS];
    }
    return sums[i / 2];
  }

  /** Takes {@code depth} rows of X from row p; an odd number is completed by a row of no effect. */
  private void load(Strided x, int p, int depth, int n) {
    for (int q = 0; q < depth; q++) {
      System.arraycopy(x.values(), x.index(p + q, 0), right[q / 2], q % 2 * COLS, n);
    }
    if (depth % 2 == 1) {
      Arrays.fill(right[depth / 2], COLS, COLS + n, 0);
      Arrays.fill(factors, depth * STRIP, (depth + 1) * STRIP, 0);
    }
  }

  /**
   * Adds multiples of pairs of rows x to {@link #STRIP} rows of sums; the second row of a pair
   * begins {@link #COLS} after the first.
   *
   * @param low the first two rows of sums
   * @param high the other two
   * @param n columns, from 0; more may be written
   * @param factors that of row r of the sums and row q of x at {@code q * STRIP + r}
   */
  abstract void addStrip(
      double[] low, double[] high, int n, double[][] x, int pairs, double[] factors);
}
