package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.data.SplitMix64;
import org.hipparchus.random.SobolSequenceGenerator;

/**
 * Quasi-random points in the unit cube: Sobol's sequence with the direction numbers of Joe and Kuo
 * (2008), scrambled by a digital shift that depends on the seed (the digits of every coordinate are
 * combined with random ones by exclusive or), which keeps its equidistribution. The first points of
 * a longer sequence are those of a shorter one.
 */
public final class SobolPoints {
  private static final int BITS = 32;

  private final SobolSequenceGenerator sequence;
  private final long[] shift;

  /** A sequence; up to a thousand dimensions, and none if nothing is searched. */
  public SobolPoints(int dimensions, long seed) {
    SplitMix64 random = new SplitMix64(seed, 0);
    sequence = dimensions == 0 ? null : new SobolSequenceGenerator(dimensions);
    shift = new long[dimensions];
    for (int d = 0; d < dimensions; d++) {
      shift[d] = (long) (random.nextDouble() * (1L << BITS));
    }
  }

  /** The point with this index, from 0; coordinates in [0, 1). */
  public double[] point(int index) {
    if (sequence == null) {
      return new double[0];
    }
    double[] point = sequence.skipTo(index);
    for (int d = 0; d < point.length; d++) {
      long digits = (long) (point[d] * (1L << BITS)) ^ shift[d];
      point[d] = (digits + 0.5) / (1L << BITS); // the middle of the finest cell
    }
    return point;
  }
}
