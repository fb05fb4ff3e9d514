package io.github.kfac4j.reference;

/**
 * The JIT compiler turns a loop into vector instructions only if it is short and each array is
 * indexed by the loop variable plus a constant. Two rows by two are as much as one loop can hold.
 */
final class FmaTileProduct extends TileProduct {
  @Override
  void addStrip(double[] low, double[] high, int n, double[][] x, int pairs, double[] factors) {
    for (int k = 0; k < pairs; k++) {
      int f = 2 * k * STRIP;
      int g = f + STRIP;
      addPair(low, n, x[k], factors[f], factors[g], factors[f + 1], factors[g + 1]);
      addPair(high, n, x[k], factors[f + 2], factors[g + 2], factors[f + 3], factors[g + 3]);
    }
  }

  private static void addPair(
      double[] sums, int n, double[] x, double f00, double f01, double f10, double f11) {
    for (int j = 0; j < n; j++) {
      double x0 = x[j];
      double x1 = x[j + COLS];
      double sum0 = Math.fma(f01, x1, Math.fma(f00, x0, sums[j]));
      double sum1 = Math.fma(f11, x1, Math.fma(f10, x0, sums[j + COLS]));
      sums[j] = sum0;
      sums[j + COLS] = sum1;
    }
  }
}
