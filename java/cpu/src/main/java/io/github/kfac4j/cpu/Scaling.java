package io.github.kfac4j.cpu;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/** A tensor multiplied in place. */
final class Scaling extends Stages {
  private static final int CHUNK = 1 << 18;

  Scaling(Tensor tensor, double factor) {
    Source source = Source.of(tensor);
    HostTensor host = (HostTensor) tensor;
    int size = host.size();
    add(
        (int) (((long) size + CHUNK - 1) / CHUNK),
        task -> {
          int from = task * CHUNK;
          int length = (int) Math.min(CHUNK, (long) size - from);
          if (source.inPlace()) {
            Blas.scale(length, (float) factor, source.view(from, length, null));
          } else if (host.isDouble()) {
            scale(host.doubles(), from, length, factor);
          } else {
            scale(host.floats(), from, length, factor);
          }
        });
  }

  private static void scale(FloatBuffer values, int from, int length, double factor) {
    for (int i = from; i < from + length; i++) {
      values.put(i, (float) (factor * values.get(i)));
    }
  }

  private static void scale(DoubleBuffer values, int from, int length, double factor) {
    for (int i = from; i < from + length; i++) {
      values.put(i, factor * values.get(i));
    }
  }
}
