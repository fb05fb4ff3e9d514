package io.github.kfac4j.oracle;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/** With the Vector API: tiles of four rows of the result by two vectors stay in registers. */
final class VectorRowBlock extends RowBlock {
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int TILE = 2 * LANES;

  /** Room for a tile that begins at the last column. */
  private static final int STRIDE = WIDTH + TILE;

  private final double[] rows = new double[DEPTH * STRIDE];
  private final double[] sums = new double[STRIP * STRIDE];
  private final double[] factors = new double[DEPTH * STRIP];
  private int depth;

  @Override
  void load(double[] x, int x0, int xs, int depth, int n) {
    this.depth = depth;
    for (int p = 0; p < depth; p++) {
      System.arraycopy(x, x0 + p * xs, rows, p * STRIDE, n);
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
    for (int i = 0; i < m; i += STRIP) {
      int strip = Math.min(STRIP, m - i); // sums of rows beyond are made, of old factors, and left
      for (int r = 0; r < strip; r++) {
        for (int p = 0; p < depth; p++) {
          factors[p * STRIP + r] = alpha * a[a0 + (i + r) * ar + p * ap];
        }
        System.arraycopy(c, c0 + (i + r) * cs, sums, r * STRIDE, n);
      }
      for (int j = 0; j < n; j += TILE) {
        addTile(j, first + j);
      }
      for (int r = 0; r < strip; r++) {
        System.arraycopy(sums, r * STRIDE, c, c0 + (i + r) * cs, n);
      }
    }
  }

  private void addTile(int s, int x) {
    double[] sums = this.sums;
    double[] rows = this.rows;
    double[] factors = this.factors;
    DoubleVector s00 = DoubleVector.fromArray(SPECIES, sums, s);
    DoubleVector s01 = DoubleVector.fromArray(SPECIES, sums, s + LANES);
    DoubleVector s10 = DoubleVector.fromArray(SPECIES, sums, s + STRIDE);
    DoubleVector s11 = DoubleVector.fromArray(SPECIES, sums, s + STRIDE + LANES);
    DoubleVector s20 = DoubleVector.fromArray(SPECIES, sums, s + 2 * STRIDE);
    DoubleVector s21 = DoubleVector.fromArray(SPECIES, sums, s + 2 * STRIDE + LANES);
    DoubleVector s30 = DoubleVector.fromArray(SPECIES, sums, s + 3 * STRIDE);
    DoubleVector s31 = DoubleVector.fromArray(SPECIES, sums, s + 3 * STRIDE + LANES);
    for (int p = 0; p < depth; p++) {
      DoubleVector x0 = DoubleVector.fromArray(SPECIES, rows, x + p * STRIDE);
      DoubleVector x1 = DoubleVector.fromArray(SPECIES, rows, x + p * STRIDE + LANES);
      DoubleVector f = DoubleVector.broadcast(SPECIES, factors[p * STRIP]);
      s00 = f.fma(x0, s00);
      s01 = f.fma(x1, s01);
      f = DoubleVector.broadcast(SPECIES, factors[p * STRIP + 1]);
      s10 = f.fma(x0, s10);
      s11 = f.fma(x1, s11);
      f = DoubleVector.broadcast(SPECIES, factors[p * STRIP + 2]);
      s20 = f.fma(x0, s20);
      s21 = f.fma(x1, s21);
      f = DoubleVector.broadcast(SPECIES, factors[p * STRIP + 3]);
      s30 = f.fma(x0, s30);
      s31 = f.fma(x1, s31);
    }
    s00.intoArray(sums, s);
    s01.intoArray(sums, s + LANES);
    s10.intoArray(sums, s + STRIDE);
    s11.intoArray(sums, s + STRIDE + LANES);
    s20.intoArray(sums, s + 2 * STRIDE);
    s21.intoArray(sums, s + 2 * STRIDE + LANES);
    s30.intoArray(sums, s + 3 * STRIDE);
    s31.intoArray(sums, s + 3 * STRIDE + LANES);
  }
}
