package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.OneThread;
import io.github.kfac4j.cpu.memory.Floats;

/**
 * A stack of matrices outside the heap: of fp32, or of pairs of fp32 whose sum is the element: the
 * second is what rounding took from the first. Pairs have 48 bits and count as fp64; what is fast
 * in fp32 reads the first alone.
 */
public final class CpuMatrixStack implements MatrixStack {
  private final OneThread guard;
  private final int count;
  private final int rows;
  private final int cols;
  private Floats memory;

  /** The second of each pair, or null. */
  private Floats rests;

  /** Of each matrix, until elements change; null if nobody has found them yet. */
  private double[] squaredNorms;

  /**
   * A stack of zeros.
   *
   * @param guard of the backend that uses it
   */
  public CpuMatrixStack(int count, int rows, int cols, boolean pairs, OneThread guard) {
    this.guard = guard;
    this.count = count;
    this.rows = rows;
    this.cols = cols;
    this.memory = Floats.allocate(size());
    this.rests = pairs ? Floats.allocate(size()) : null;
  }

  /**
   * A stack as this backend's own.
   *
   * @throws IllegalArgumentException if another backend made it
   * @throws IllegalStateException if it is closed
   */
  public static CpuMatrixStack of(MatrixStack stack) {
    if (stack instanceof CpuMatrixStack own) {
      own.open();
      return own;
    }
    throw new IllegalArgumentException(
        "the cpu backend uses its own matrix stacks, not " + stack.getClass().getName());
  }

  /** Matrix {@code k}, rounded to fp32. */
  public Floats matrix(int k) {
    return open().plus((long) k * rows * cols);
  }

  /** What {@link #matrix} lacks of the elements, as far as this stack knows; null if nothing. */
  Floats rest(int k) {
    open();
    return rests == null ? null : rests.plus((long) k * rows * cols);
  }

  /** Sets an element, counted through all matrices. */
  public void put(int index, double value) {
    float first = (float) value;
    if (rests != null) {
      // to 48 bits before it is rounded to 24: a tie would else be cut another way by the next copy
      double kept = (double) first + (float) (value - first);
      first = (float) kept;
      rests.put(index, (float) (kept - first));
    }
    memory.put(index, first);
  }

  /** An element, counted through all matrices, with all digits that this stack has. */
  public double get(int index) {
    return rests == null ? memory.get(index) : (double) memory.get(index) + rests.get(index);
  }

  /** Elements from one on, counted through all matrices, to the beginning of an array. */
  public void get(int index, double[] target, int length) {
    float[] part = new float[length];
    memory.get(index, part, length);
    for (int i = 0; i < length; i++) {
      target[i] = part[i];
    }
    if (rests != null) {
      rests.get(index, part, length);
      for (int i = 0; i < length; i++) {
        target[i] += part[i];
      }
    }
  }

  /** Where an element of matrix {@code k} lies, for which no object is made. */
  public long address(int k, long element) {
    return open().address((long) k * rows * cols + element);
  }

  /** The trace of each matrix, summed in fp64. */
  public double[] traces() {
    open();
    double[] traces = new double[count];
    for (int k = 0; k < count; k++) {
      for (int i = 0; i < rows; i++) {
        traces[k] += get((k * rows + i) * cols + i);
      }
    }
    return traces;
  }

  /** The square of the Frobenius norm of each matrix; null if that is not known. */
  public double[] squaredNorms() {
    return squaredNorms;
  }

  /** Keeps what somebody has found. */
  public void squaredNorms(double[] found) {
    squaredNorms = found;
  }

  /** Elements are about to change: to be called before any are written. */
  public void changes() {
    squaredNorms = null;
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
    return rests != null;
  }

  @Override
  public double[] toArray() {
    return guard.call(
        () -> {
          open();
          double[] all = new double[size()];
          for (int i = 0; i < all.length; i++) {
            all[i] = get(i);
          }
          return all;
        });
  }

  @Override
  public void set(double[] elements) {
    guard.run(
        () -> {
          open();
          requireSize(elements);
          changes();
          for (int i = 0; i < elements.length; i++) {
            put(i, elements[i]);
          }
        });
  }

  @Override
  public void copyFrom(MatrixStack other) {
    guard.run(
        () -> {
          Floats values = open();
          CpuMatrixStack own = of(other);
          requireLike(own);
          changes();
          values.copy(own.open(), size());
          if (rests != null) {
            rests.copy(own.rests, size());
          }
        });
  }

  @Override
  public MatrixStack like() {
    return new CpuMatrixStack(count, rows, cols, rests != null, guard);
  }

  @Override
  public void close() {
    guard.run(
        () -> {
          if (memory != null) {
            memory.free();
            memory = null;
            if (rests != null) {
              rests.free();
            }
          }
        });
  }
}
