package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.ConvCase;
import java.util.stream.IntStream;

/**
 * Patches in Java, for libraries that have none of their own. Examples are shared among threads.
 */
final class Im2col {
  private Im2col() {}

  /** Fills {@code rows} [examples * positions, dim] with the patches of the first examples. */
  static void fill(ConvCase c, float[] images, int examples, float[] rows) {
    IntStream.range(0, examples).parallel().forEach(n -> example(c, images, n, rows));
  }

  private static void example(ConvCase c, float[] images, int n, float[] rows) {
    int o = c.outputSize();
    int row = n * o * o * c.dim();
    for (int y = 0; y < o; y++) {
      for (int x = 0; x < o; x++) {
        patch(c, images, n, y * c.stride() - c.padding(), x * c.stride() - c.padding(), rows, row);
        row += c.dim();
      }
    }
  }

  private static void patch(
      ConvCase c, float[] images, int n, int top, int left, float[] rows, int at) {
    int size = c.size();
    int first = Math.max(0, -left);
    int last = Math.min(c.kernel(), size - left);
    for (int channel = 0; channel < c.channels(); channel++) {
      int image = (n * c.channels() + channel) * size * size;
      for (int i = 0; i < c.kernel(); i++) {
        int y = top + i;
        boolean inside = y >= 0 && y < size;
        for (int j = 0; j < c.kernel(); j++) {
          rows[at++] = inside && j >= first && j < last ? images[image + y * size + left + j] : 0;
        }
      }
    }
    if (c.bias()) {
      rows[at] = 1;
    }
  }
}
