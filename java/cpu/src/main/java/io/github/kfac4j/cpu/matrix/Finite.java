package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;

/** Searches for NaN and infinity. */
public final class Finite {
  /** Elements whose absolute values are summed at once; only a block with a bad sum is searched. */
  private static final int BLOCK = 1 << 13;

  private Finite() {}

  /** The index of the first element of [from, to) that is not finite, or -1. */
  public static int firstNot(Floats values, int from, int to) {
    for (int start = from; start < to; start += BLOCK) {
      int length = Math.min(BLOCK, to - start);
      if (!Float.isFinite(Blas.absoluteSum(length, values, start))) {
        for (int i = start; i < start + length; i++) {
          if (!Float.isFinite(values.get(i))) {
            return i;
          }
        }
      }
    }
    return -1;
  }

  /** Whether {@code length} elements are all finite. */
  public static boolean all(Floats values, int length) {
    return firstNot(values, 0, length) < 0;
  }
}
