package io.github.kfac4j.reference;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/** With the Vector API: sums of four rows by two vectors stay in registers. */
final class VectorTileProduct extends TileProduct {
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  @Override
  void addStrip(double[] low, double[] high, int n, double[][] x, int pairs, double[] factors) {
    for (int j = 0; j < n; j += 2 * LANES) { // does not go beyond COLS, a multiple of two vectors
      addVectors(low, high, j, x, pairs, factors);
    }
  }

  private static void addVectors(
      double[] low, double[] high, int j, double[][] x, int pairs, double[] factors) {
    DoubleVector s00 = DoubleVector.fromArray(SPECIES, low, j);
    DoubleVector s01 = DoubleVector.fromArray(SPECIES, low, j + LANES);
    DoubleVector s10 = DoubleVector.fromArray(SPECIES, low, j + COLS);
    DoubleVector s11 = DoubleVector.fromArray(SPECIES, low, j + COLS + LANES);
    DoubleVector s20 = DoubleVector.fromArray(SPECIES, high, j);
    DoubleVector s21 = DoubleVector.fromArray(SPECIES, high, j + LANES);
    DoubleVector s30 = DoubleVector.fromArray(SPECIES, high, j + COLS);
    DoubleVector s31 = DoubleVector.fromArray(SPECIES, high, j + COLS + LANES);
    for (int k = 0; k < pairs; k++) {
      double[] rows = x[k];
      DoubleVector x0 = DoubleVector.fromArray(SPECIES, rows, j);
      DoubleVector x1 = DoubleVector.fromArray(SPECIES, rows, j + LANES);
      DoubleVector f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 0]);
      s00 = f.fma(x0, s00);
      s01 = f.fma(x1, s01);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 1]);
      s10 = f.fma(x0, s10);
      s11 = f.fma(x1, s11);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 2]);
      s20 = f.fma(x0, s20);
      s21 = f.fma(x1, s21);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 3]);
      s30 = f.fma(x0, s30);
      s31 = f.fma(x1, s31);
      x0 = DoubleVector.fromArray(SPECIES, rows, j + COLS);
      x1 = DoubleVector.fromArray(SPECIES, rows, j + COLS + LANES);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 4]);
      s00 = f.fma(x0, s00);
      s01 = f.fma(x1, s01);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 5]);
      s10 = f.fma(x0, s10);
      s11 = f.fma(x1, s11);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 6]);
      s20 = f.fma(x0, s20);
      s21 = f.fma(x1, s21);
      f = DoubleVector.broadcast(SPECIES, factors[2 * k * STRIP + 7]);
      s30 = f.fma(x0, s30);
      s31 = f.fma(x1, s31);
    }
    s00.intoArray(low, j);
    s01.intoArray(low, j + LANES);
    s10.intoArray(low, j + COLS);
    s11.intoArray(low, j + COLS + LANES);
    s20.intoArray(high, j);
    s21.intoArray(high, j + LANES);
    s30.intoArray(high, j + COLS);
    s31.intoArray(high, j + COLS + LANES);
  }
}
