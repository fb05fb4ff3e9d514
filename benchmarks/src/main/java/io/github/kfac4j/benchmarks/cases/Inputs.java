package io.github.kfac4j.benchmarks.cases;

/**
 * Inputs that Java and Python make alike: element i of a stream is a hash of seed, stream and i,
 * uniform in [-1, 1). Twin of {@code benchmarks/peers/common.py}.
 */
public final class Inputs {
  /** Samples from which a factor to be inverted is made. */
  private static final int RANK = 16;

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final long seed;

  /** Inputs of one case; other seeds give other inputs. */
  public Inputs(long seed) {
    this.seed = seed;
  }

  /** A stream's first elements. */
  public float[] uniform(int stream, int count) {
    float[] values = new float[count];
    long base = mix(seed + GOLDEN * (stream + 1L));
    for (int i = 0; i < count; i++) {
      values[i] = (mix(base + GOLDEN * (i + 1L)) >>> 40) * 0x1p-23f - 1;
    }
    return values;
  }

  /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A factor {@code [n, n]}: the second moment, near 1, of a few samples; it has to be damped. */
  public float[] factor(int stream, int n) {
    float[] x = uniform(stream, RANK * n);
    float[] factor = new float[n * n];
    float scale = 3f / RANK;
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < RANK; k++) {
        float xi = scale * x[k * n + i];
        for (int j = 0; j < n; j++) {
          factor[i * n + j] += xi * x[k * n + j];
        }
      }
    }
    for (int i = 0; i < n; i++) { // the scale rounds differently on the two sides
      for (int j = 0; j < i; j++) {
        factor[i * n + j] = factor[j * n + i];
      }
    }
    return factor;
  }
}
