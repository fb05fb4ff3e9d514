package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.data.SplitMix64;

/**
 * Quasi-random points in the unit cube (Halton, 1960), shifted modulo 1 by a vector that depends on
 * the seed (Cranley and Patterson, 1976). The first points of a longer sequence are those of a
 * shorter one.
 */
public final class Halton {
  private static final int[] BASES = {2, 3, 5};

  private final double[] shift;

  /** A sequence; at most three dimensions. */
  public Halton(int dimensions, long seed) {
    SplitMix64 random = new SplitMix64(seed, 0);
    shift = new double[dimensions];
    for (int d = 0; d < dimensions; d++) {
      shift[d] = random.nextDouble();
    }
  }

  /** The point with this index, from 0; coordinates in [0, 1). */
  public double[] point(int index) {
    double[] point = new double[shift.length];
    for (int d = 0; d < point.length; d++) {
      point[d] = (radicalInverse(BASES[d], index + 1) + shift[d]) % 1;
    }
    return point;
  }

  /** The digits of {@code index} mirrored at the point: 6 = 110 becomes .011 = 0.375. */
  static double radicalInverse(int base, int index) {
    double value = 0;
    double weight = 1.0 / base;
    for (int rest = index; rest > 0; rest /= base) {
      value += rest % base * weight;
      weight /= base;
    }
    return value;
  }
}
