package io.github.kfac4j.oracle;

/**
 * Some rows of a matrix as arrays of their own, and sums of their multiples: what all large
 * products rest on. Every element is summed in the order of the rows, by fused multiply-adds, so
 * that all kinds of blocks give the same bits.
 */
abstract class RowBlock {
  /** The most rows; a multiple of 4. */
  static final int DEPTH = 32;

  /** The most columns. */
  static final int WIDTH = 256;

  /** Rows of the result that are best handed over together where they have a length in common. */
  static final int STRIP = 4;

  /** An empty block, of the fastest kind there is here. */
  static RowBlock create() {
    return RowBlocks.FASTEST.get();
  }

  /** Takes {@code depth} rows of n columns, {@code xs} apart. */
  abstract void load(double[] x, int x0, int xs, int depth, int n);

  /**
   * {@code c[i * cs + j] += alpha * sum over p of a[i * ar + p * ap] * x[p][first + j]} for i &lt;
   * m and j &lt; n, where x are the rows of this block; indices count from {@code c0} and {@code
   * a0}.
   */
  abstract void addTo(
      double[] c,
      int c0,
      int cs,
      int m,
      int first,
      int n,
      double alpha,
      double[] a,
      int a0,
      int ar,
      int ap);
}
