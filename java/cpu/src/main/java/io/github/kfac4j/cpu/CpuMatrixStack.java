package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.MatrixStack;

/** A stack of fp32 matrices outside the heap. */
final class CpuMatrixStack implements MatrixStack {
  private final int count;
  private final int rows;
  private final int cols;
  private Floats memory;

  CpuMatrixStack(int count, int rows, int cols) {
    this.count = count;
    this.rows = rows;
    this.cols = cols;
    this.memory = Floats.allocate(size());
  }

  /**
   * A stack as this backend's own.
   *
   * @throws IllegalArgumentException if another backend made it
   * @throws IllegalStateException if it is closed
   */
  static CpuMatrixStack of(MatrixStack stack) {
    if (stack instanceof CpuMatrixStack own) {
      own.open();
      return own;
    }
    throw new IllegalArgumentException(
        "the cpu backend uses its own matrix stacks, not " + stack.getClass().getName());
  }

  /** Matrix {@code k}. */
  Floats matrix(int k) {
    return open().plus((long) k * rows * cols);
  }

  /** Where an element of matrix {@code k} lies, for which no object is made. */
  long address(int k, long element) {
    return open().address((long) k * rows * cols + element);
  }

  /** The trace of each matrix, summed in fp64. */
  double[] traces() {
    double[] traces = new double[count];
    Floats values = open();
    for (int k = 0; k < count; k++) {
      for (int i = 0; i < rows; i++) {
        traces[k] += values.get((k * rows + i) * cols + i);
      }
    }
    return traces;
  }

  private Floats open() {
    if (memory == null) {
      throw new IllegalStateException("the matrix stack is closed");
    }
    return memory;
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
    return false;
  }

  @Override
  public double[] toArray() {
    double[] all = new double[size()];
    Floats values = open();
    for (int i = 0; i < all.length; i++) {
      all[i] = values.get(i);
    }
    return all;
  }

  @Override
  public void set(double[] elements) {
    Floats values = open();
    requireSize(elements);
    for (int i = 0; i < elements.length; i++) {
      values.put(i, (float) elements[i]);
    }
  }

  @Override
  public void copyFrom(MatrixStack other) {
    Floats values = open();
    CpuMatrixStack own = of(other);
    requireShapeOf(own);
    values.copy(own.open(), size());
  }

  @Override
  public void close() {
    if (memory != null) {
      memory.free();
      memory = null;
    }
  }
}
