package io.github.kfac4j.experiments.data;

/**
 * The generator splitmix64 (Steele, Lea and Flood, OOPSLA 2014): its sequence depends on the seeds
 * alone, not on the version of the JDK, so that runs can be repeated and resumed anywhere.
 */
public final class SplitMix64 {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long state;

  /** Distinct {@code stream}s of one seed are unrelated sequences. */
  public SplitMix64(long seed, long stream) {
    state = mix(mix(seed + GOLDEN) + stream);
  }

  /** The next 64 bits. */
  long nextLong() {
    state += GOLDEN;
    return mix(state);
  }

  /** Uniform in 0 to {@code bound - 1}, up to a bias below bound / 2^32. */
  int nextInt(int bound) {
    return (int) ((nextLong() >>> 32) * bound >>> 32);
  }

  /** Uniform in [0, 1). */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }
}
