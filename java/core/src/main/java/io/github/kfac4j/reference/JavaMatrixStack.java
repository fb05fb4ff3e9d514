package io.github.kfac4j.reference;

import io.github.kfac4j.backend.MatrixStack;

/** A stack of fp64 matrices on the heap. */
final class JavaMatrixStack implements MatrixStack {
  private final int count;
  private final int rows;
  private final int cols;
  private double[] elements;

  JavaMatrixStack(int count, int rows, int cols) {
    this.count = count;
    this.rows = rows;
    this.cols = cols;
    this.elements = new double[size()];
  }

  /** The elements themselves, not a copy. */
  double[] elements() {
    double[] open = elements; // another thread may be closing it
    if (open == null) {
      throw new IllegalStateException("the matrix stack is closed");
    }
    return open;
  }

  /** Where matrix {@code k} starts in {@link #elements()}. */
  int offset(int k) {
    return k * rows * cols;
  }

  /** Matrix {@code k} itself, not a copy. */
  Strided matrix(int k) {
    return Strided.rows(elements(), offset(k), cols);
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public boolean isDouble() {
    return true;
  }

  @Override
  public double[] toArray() {
    return elements().clone();
  }

  @Override
  public void set(double[] values) {
    requireSize(values);
    System.arraycopy(values, 0, elements(), 0, values.length);
  }

  @Override
  public void copyFrom(MatrixStack other) {
    if (!(other instanceof JavaMatrixStack own)) {
      throw new IllegalArgumentException(
          "the java backend uses its own matrix stacks, not " + other.getClass().getName());
    }
    requireLike(other);
    System.arraycopy(own.elements(), 0, elements(), 0, size());
  }

  @Override
  public MatrixStack like() {
    return new JavaMatrixStack(count, rows, cols);
  }

  @Override
  public void close() {
    elements = null;
  }
}
