package io.github.kfac4j.tensor;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The memory that the elements of a tensor take, for telling whether two tensors share some. No two
 * elements of one tensor may be one place.
 */
public final class MemoryRegion {
  /** What positions count from: an array, or null for addresses of the process. */
  private final Object base;

  private final long start;
  private final int width;

  /** In bytes, the longest first. */
  private final long[] steps;

  private final int[] extents;
  private final long elements;
  private final long end;

  private MemoryRegion(Object base, long start, int width, int[] extents, long[] steps) {
    int[] order =
        IntStream.range(0, steps.length)
            .boxed()
            .sorted(Comparator.comparingLong(i -> -steps[i]))
            .mapToInt(i -> i)
            .toArray();
    this.base = base;
    this.start = start;
    this.width = width;
    this.steps = Arrays.stream(order).mapToLong(i -> steps[i]).toArray();
    this.extents = Arrays.stream(order).map(i -> extents[i]).toArray();
    long count = 1;
    long last = 0;
    for (int i = 0; i < extents.length; i++) {
      count *= extents[i];
      last += Math.max(0, extents[i] - 1L) * steps[i];
    }
    this.elements = count;
    this.end = count == 0 ? start : start + last + width;
  }

  /**
   * That of a tensor whose elements lie row by row.
   *
   * @param address of the first element, on the host or on a device
   * @param elementBytes the size of an element
   */
  public static MemoryRegion at(long address, int elementBytes, Shape shape) {
    int rank = shape.rank();
    int[] extents = IntStream.range(0, rank).map(shape::get).toArray();
    long[] steps = new long[rank];
    long step = elementBytes;
    for (int i = rank - 1; i >= 0; i--) {
      steps[i] = step;
      step *= Math.max(1, extents[i]);
    }
    return new MemoryRegion(null, address, elementBytes, extents, steps);
  }

  /**
   * That of a tensor with strides.
   *
   * @param base null if positions are addresses
   * @param start of the first element, in bytes
   * @param steps in elements
   */
  static MemoryRegion of(Object base, long start, int elementBytes, int[] extents, int[] steps) {
    long[] bytes = Arrays.stream(steps).mapToLong(step -> (long) step * elementBytes).toArray();
    return new MemoryRegion(base, start, elementBytes, extents, bytes);
  }

  /** The position of the first byte, by which those of one base are sorted. */
  long start() {
    return start;
  }

  /** Whether it ends behind the start of another, whatever that one's base. */
  boolean reaches(MemoryRegion other) {
    return other.start < end;
  }

  /** Whether an element of both takes the same byte. */
  public boolean overlaps(MemoryRegion other) {
    if (base != other.base || start >= other.end || other.start >= end) {
      return false;
    }
    if (isDense() && other.isDense()) {
      return true;
    }
    return elements <= other.elements ? anyIn(other) : other.anyIn(this);
  }

  private boolean isDense() {
    return end - start == elements * width;
  }

  private boolean anyIn(MemoryRegion other) {
    int grain = Math.min(width, other.width);
    if ((start - other.start) % grain != 0) {
      grain = 1;
    }
    for (long i = 0; i < elements; i++) {
      long at = start;
      long rest = i;
      for (int d = extents.length - 1; d >= 0; d--) {
        at += rest % extents[d] * steps[d];
        rest /= extents[d];
      }
      for (int b = 0; b < width; b += grain) {
        if (other.takes(at + b)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether an element takes this byte: a longer step passes over all that shorter ones reach. */
  private boolean takes(long position) {
    long rest = position - start;
    if (rest < 0) {
      return false;
    }
    for (int d = 0; d < steps.length; d++) {
      rest -= Math.min(rest / steps[d], extents[d] - 1L) * steps[d];
    }
    return rest < width;
  }
}
