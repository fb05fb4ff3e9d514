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
   * @throws IllegalArgumentException if an extent is negative, or those other than 0 have a product
   *     beyond 2^63 - 1, so that a long could not count how far elements lie apart
   */
  public static Shape of(int... extents) {
    long product = 1;
    for (int extent : extents) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(extents));
      }
      int entries = Math.max(extent, 1);
      if (product > Long.MAX_VALUE / entries) {
        throw new IllegalArgumentException(
            "shape %s is too large: the product of its extents is beyond 2^63 - 1"
                .formatted(Arrays.toString(extents)));
      }
      product *= entries;
    }
    return new Shape(extents.clone());
  }

  /**
   * Extents that a trainer counts in longs.
   *
   * @throws IllegalArgumentException if one is beyond 2^31 - 1
   */
  public static int[] ints(long... extents) {
    for (long extent : extents) {
      if (extent > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "shape %s is too large: an extent may be %d at most"
                .formatted(Arrays.toString(extents), Integer.MAX_VALUE));
      }
    }
    return Arrays.stream(extents).mapToInt(extent -> (int) extent).toArray();
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
      size *= extent; // which fits, see of()
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
