package io.github.kfac4j.oracle;

/**
 * The JIT compiler turns a loop into vector instructions only if the arrays it touches are indexed
 * from 0 and it is short; the same loop over offsets into one array, or over several rows of the
 * result, runs at less than half the speed.
 */
final class FmaRowBlock extends RowBlock {
  private final double[][] rows = new double[DEPTH][WIDTH];
  private final double[] sum = new double[WIDTH];
  private final double[] factors = new double[DEPTH];
  private int depth;

  @Override
  void load(double[] x, int x0, int xs, int depth, int n) {
    this.depth = depth;
    for (int p = 0; p < depth; p++) {
      System.arraycopy(x, x0 + p * xs, rows[p], 0, n);
    }
  }

  @Override
  void addTo(
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
      int ap) {
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < depth; p++) {
        factors[p] = alpha * a[a0 + i * ar + p * ap];
      }
      System.arraycopy(c, c0 + i * cs, sum, first, n);
      addAll(first, first + n);
      System.arraycopy(sum, first, c, c0 + i * cs, n);
    }
  }

  private void addAll(int from, int to) {
    int p = 0;
    for (; p + 4 <= depth; p += 4) {
      addFour(
          sum,
          from,
          to,
          factors[p],
          rows[p],
          factors[p + 1],
          rows[p + 1],
          factors[p + 2],
          rows[p + 2],
          factors[p + 3],
          rows[p + 3]);
    }
    for (; p < depth; p++) {
      addOne(sum, from, to, factors[p], rows[p]);
    }
  }

  private static void addFour(
      double[] sum,
      int from,
      int to,
      double f0,
      double[] x0,
      double f1,
      double[] x1,
      double f2,
      double[] x2,
      double f3,
      double[] x3) {
    for (int j = from; j < to; j++) {
      double s = Math.fma(f1, x1[j], Math.fma(f0, x0[j], sum[j]));
      sum[j] = Math.fma(f3, x3[j], Math.fma(f2, x2[j], s));
    }
  }

  private static void addOne(double[] sum, int from, int to, double f, double[] x) {
    for (int j = from; j < to; j++) {
      sum[j] = Math.fma(f, x[j], sum[j]);
    }
  }
}
