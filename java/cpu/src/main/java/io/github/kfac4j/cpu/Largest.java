package io.github.kfac4j.cpu;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

/** The largest absolute value of a tensor, not finite if an element is not. */
final class Largest extends Stages {
  /** Elements of one task. */
  private static final int CHUNK = 1 << 18;

  /** Elements that stay in the first-level cache between the two passes over them. */
  private static final int BLOCK = 1 << 12;

  private final double[] found;

  Largest(Tensor tensor) {
    Source source = Source.of(tensor);
    HostTensor host = (HostTensor) tensor;
    int size = host.size();
    found = new double[(int) (((long) size + CHUNK - 1) / CHUNK)];
    add(
        found.length,
        task -> {
          int from = task * CHUNK;
          int to = (int) Math.min(size, (long) from + CHUNK);
          found[task] =
              source.inPlace()
                  ? largest(source.view(0, 0, null), from, to)
                  : largest(host, from, to);
        });
  }

  /** Once the plan has run. */
  double value() {
    return Arrays.stream(found).reduce(0, Math::max); // NaN stays
  }

  private static double largest(Floats values, int from, int to) {
    float largest = 0;
    for (int start = from; start < to; start += BLOCK) {
      int length = Math.min(BLOCK, to - start);
      float sum = Blas.absoluteSum(length, values, start);
      if (sum <= largest) {
        continue;
      }
      if (Float.isFinite(sum)) {
        int at = Blas.indexOfLargest(length, values, start);
        largest = Math.max(largest, Math.abs(values.get(start + at)));
      } else {
        // an element that is not finite, or a sum that overflows
        for (int i = start; i < start + length; i++) {
          largest = Math.max(largest, Math.abs(values.get(i)));
        }
      }
    }
    return largest;
  }

  private static double largest(HostTensor host, int from, int to) {
    double largest = 0;
    for (int i = from; i < to; i++) {
      double value = host.isDouble() ? host.doubles().get(i) : host.floats().get(i);
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
