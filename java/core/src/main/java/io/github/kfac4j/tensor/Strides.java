package io.github.kfac4j.tensor;

import java.util.Arrays;

/**
 * Where the elements of a tensor lie in its buffer, if not row by row: element {@code (i0, i1,
 * ...)} is {@code i0 steps[0] + i1 steps[1] + ...} behind element 0.
 */
final class Strides {
  /** For error messages and views, one for each dimension of the tensor. */
  private final long[] steps;

  /** The dimensions joined where one continues the next, at least one. */
  private final int[] extents;

  private final int[] joined;

  private Strides(long[] steps, int[] extents, int[] joined) {
    this.steps = steps;
    this.extents = extents;
    this.joined = joined;
  }

  /**
   * Strides that fit a buffer; null if elements lie row by row.
   *
   * @throws IllegalArgumentException if there is not one for each dimension, one is negative, or
   *     they lead out of the buffer
   */
  static Strides of(Shape shape, long[] steps, int remaining) {
    if (steps.length != shape.rank()) {
      throw new IllegalArgumentException(
          "shape %s has %d dimensions, but there are %d strides %s"
              .formatted(shape, shape.rank(), steps.length, Arrays.toString(steps)));
    }
    for (long step : steps) {
      if (step < 0) {
        throw new IllegalArgumentException(
            "shape %s has strides %s, of which none may be negative"
                .formatted(shape, Arrays.toString(steps)));
      }
    }
    long last = last(shape, steps);
    if (last >= remaining) {
      throw new IllegalArgumentException(
          "shape %s with strides %s ends with element %s of a buffer that holds %d"
              .formatted(
                  shape,
                  Arrays.toString(steps),
                  last == Long.MAX_VALUE ? "2^63 or more" : String.valueOf(last),
                  remaining));
    }
    return joined(shape, steps);
  }

  /** The index of the last element; -1 if there is none, the largest long if it is beyond that. */
  private static long last(Shape shape, long[] steps) {
    if (shape.size() == 0) {
      return -1;
    }
    try {
      long last = 0;
      for (int i = 0; i < steps.length; i++) {
        last = Math.addExact(last, Math.multiplyExact(shape.get(i) - 1L, steps[i]));
      }
      return last;
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  private static Strides joined(Shape shape, long[] steps) {
    int[] extents = new int[shape.rank()];
    int[] joined = new int[shape.rank()];
    int count = 0; // from the last dimension on
    for (int i = shape.rank() - 1; i >= 0; i--) {
      if (shape.get(i) == 1) {
        continue;
      }
      if (count > 0 && steps[i] == (long) joined[count - 1] * extents[count - 1]) {
        extents[count - 1] *= shape.get(i);
      } else {
        extents[count] = shape.get(i);
        joined[count++] = (int) steps[i];
      }
    }
    boolean rowMajor = count == 0 || shape.size() == 0 || count == 1 && joined[0] == 1;
    return rowMajor
        ? null
        : new Strides(steps.clone(), reversed(extents, count), reversed(joined, count));
  }

  private static int[] reversed(int[] values, int count) {
    int[] reversed = new int[count];
    Arrays.setAll(reversed, i -> values[count - 1 - i]);
    return reversed;
  }

  /** One for each dimension of the tensor. */
  long[] steps() {
    return steps.clone();
  }

  /** The memory of elements that are apart, in a buffer. */
  MemoryRegion region(BufferMemory buffer, int elementBytes) {
    return MemoryRegion.of(buffer.base(), buffer.bytes(), elementBytes, extents, joined);
  }

  /** Whether no two elements can be one place: each dimension steps over all shorter ones. */
  boolean areApart() {
    Integer[] byStep = new Integer[joined.length];
    Arrays.setAll(byStep, i -> i);
    Arrays.sort(byStep, (a, b) -> Integer.compare(joined[a], joined[b]));
    long last = 0;
    for (int i : byStep) {
      if (joined[i] <= last) {
        return false;
      }
      last += (extents[i] - 1L) * joined[i];
    }
    return true;
  }

  /** Takes elements that lie at equal distances. */
  interface Run {
    /**
     * Takes some of the elements that were asked for.
     *
     * @param index in the buffer of the first one
     * @param step from one to the next
     * @param done how many came before
     * @param count of them
     */
    void take(int index, int step, int done, int count);
  }

  /** Goes through elements {@code [start, start + length)} of the tensor in their order. */
  void runs(int start, int length, Run run) {
    int last = extents.length - 1;
    int step = joined[last];
    for (int done = 0; done < length; ) {
      int rest = start + done;
      int at = rest % extents[last];
      int index = at * step;
      rest /= extents[last];
      for (int i = last - 1; i >= 0; i--) {
        index += rest % extents[i] * joined[i];
        rest /= extents[i];
      }
      int count = Math.min(extents[last] - at, length - done);
      run.take(index, step, done, count);
      done += count;
    }
  }

  @Override
  public String toString() {
    return Arrays.toString(steps);
  }
}
