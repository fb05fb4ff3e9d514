package io.github.kfac4j.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The extents of an array. Immutable; an extent of 0 is allowed and means no elements. */
public final class Shape {
  private final int[] extents;

  private Shape(int[] extents) {
    this.extents = extents;
  }

  /**
   * A shape with the given extents.
   *
   * @throws IllegalArgumentException if an extent is negative
   */
  public static Shape of(int... extents) {
    for (int extent : extents) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(extents));
      }
    }
    return new Shape(extents.clone());
  }

  /** The number of dimensions. */
  public int rank() {
    return extents.length;
  }

  /** The extent of dimension {@code i}. */
  public int get(int i) {
    return extents[i];
  }

  /** The number of elements: the product of all extents, 1 for rank 0. */
  public long size() {
    long size = 1;
    for (int extent : extents) {
      size = Math.multiplyExact(size, (long) extent);
    }
    return size;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(extents);
  }

  /** For example {@code [256, 1, 28, 28]}. */
  @Override
  public String toString() {
    return Arrays.stream(extents)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
