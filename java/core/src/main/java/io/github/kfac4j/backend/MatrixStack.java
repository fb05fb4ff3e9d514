package io.github.kfac4j.backend;

/**
 * A stack of {@code count} row-major matrices of {@code rows x cols} in a backend's own memory and
 * precision. Owned by whoever created it; {@link #close()} is idempotent, and a closed stack throws
 * {@link IllegalStateException} when used.
 */
public interface MatrixStack extends AutoCloseable {
  /** The number of matrices, at least 1. */
  int count();

  /** The rows of each matrix. */
  int rows();

  /** The columns of each matrix. */
  int cols();

  /** Whether elements are stored as fp64 rather than fp32. */
  boolean isDouble();

  /** All elements, matrix after matrix, as a new array of {@code count * rows * cols}. */
  double[] toArray();

  /**
   * Replaces all elements.
   *
   * @throws IllegalArgumentException if the length is not {@code count * rows * cols}
   */
  void set(double[] elements);

  /**
   * Replaces all elements by those of another stack, within the backend's own memory.
   *
   * @param other of the same backend, shape and precision
   * @throws IllegalArgumentException if it is not
   */
  void copyFrom(MatrixStack other);

  /** A new stack of zeros of the same backend, shape and precision, owned by the caller. */
  MatrixStack like();

  /** Throws what {@link #copyFrom} throws where shape or precision are others. */
  default void requireLike(MatrixStack other) {
    if (count() != other.count()
        || rows() != other.rows()
        || cols() != other.cols()
        || isDouble() != other.isDouble()) {
      throw new IllegalArgumentException(
          "a stack of %d x %d x %d cannot be a copy of one of %d x %d x %d, or not in its precision"
              .formatted(count(), rows(), cols(), other.count(), other.rows(), other.cols()));
    }
  }

  /** Throws what {@link #set} throws where the length is wrong. */
  default void requireSize(double[] elements) {
    if (elements.length != size()) {
      throw new IllegalArgumentException(
          "%d elements for a stack of %d x %d x %d"
              .formatted(elements.length, count(), rows(), cols()));
    }
  }

  /** The number of elements of the whole stack. */
  default int size() {
    return Math.multiplyExact(Math.multiplyExact(count(), rows()), cols());
  }

  @Override
  void close();
}
