package io.github.kfac4j.cpu;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** The first element of a tensor that is not finite. */
final class Scan extends Stages {
  /** Elements of one task. */
  private static final int CHUNK = 1 << 18;

  private final long[] found;

  Scan(Tensor tensor) {
    Source source = Source.of(tensor);
    HostTensor host = (HostTensor) tensor;
    int size = host.size();
    found = new long[(int) (((long) size + CHUNK - 1) / CHUNK)];
    add(
        found.length,
        task -> {
          int from = task * CHUNK;
          int to = (int) Math.min(size, (long) from + CHUNK);
          found[task] =
              source.inPlace()
                  ? Finite.firstNot(source.view(0, 0, null), from, to)
                  : host.isDouble()
                      ? search(host.doubles(), from, to)
                      : search(host.floats(), from, to);
        });
  }

  /** The flat index, or -1, once the plan has run. */
  long first() {
    return Arrays.stream(found).filter(i -> i >= 0).findFirst().orElse(-1);
  }

  private static long search(FloatBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values.get(i))) {
        return i;
      }
    }
    return -1;
  }

  private static long search(DoubleBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Double.isFinite(values.get(i))) {
        return i;
      }
    }
    return -1;
  }
}
