package io.github.kfac4j.approximation;

import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;

/**
 * Some examples of a batch, drawn at random, one of each of so many parts of equal length: batches
 * may be ordered, and what is never drawn is never measured. The draw is seeded by the batch's own
 * numbers, so that it differs from step to step and repeats with the same data.
 */
final class ExampleSample {
  private ExampleSample() {}

  /** A copy of some examples; all of them where their data are not in host memory. */
  static Vectors of(Vectors all, int count) {
    int examples = all.g().examples();
    if (count >= examples || !isOnHost(all.g()) || !isOnHost(all.a())) {
      return all;
    }
    int[] drawn = draw(examples, count, seed((HostTensor) all.g().parts().get(0).data()));
    return new Vectors(take(all.a(), drawn), take(all.g(), drawn), count);
  }

  private static boolean isOnHost(Samples samples) {
    return samples.parts().stream().allMatch(part -> part.data() instanceof HostTensor);
  }

  private static long seed(HostTensor data) {
    long seed = 0;
    double[] element = new double[1];
    for (int i = 0; i < 8; i++) {
      data.read((int) ((long) (data.size() - 1) * i / 7), element, 0, 1);
      seed = mixed(seed + Float.floatToIntBits((float) element[0]));
    }
    return seed;
  }

  /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mixed(long x) {
    long z = x + 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  private static int[] draw(int examples, int count, long seed) {
    int[] drawn = new int[count];
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) examples * i / count);
      int to = (int) ((long) examples * (i + 1) / count);
      drawn[i] = from + (int) Math.floorMod(mixed(seed + i), (long) to - from);
    }
    return drawn;
  }

  private static Samples take(Samples samples, int[] drawn) {
    int examples = samples.examples();
    return samples.map(data -> copy((HostTensor) data, examples, drawn), drawn.length);
  }

  private static HostTensor copy(HostTensor data, int examples, int[] drawn) {
    int length = data.size() / examples;
    HostTensor some = HostTensor.like(data, drawn.length * length);
    double[] example = new double[length];
    for (int i = 0; i < drawn.length; i++) {
      data.read(drawn[i] * length, example, 0, length);
      some.write(i * length, example, 0, length);
    }
    return some;
  }
}
