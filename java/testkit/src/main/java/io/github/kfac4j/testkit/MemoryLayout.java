package io.github.kfac4j.testkit;

import io.github.kfac4j.tensor.HostTensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Ways in which a trainer's array may lie in memory. */
public enum MemoryLayout {
  /** Row by row on the heap. */
  ROW_MAJOR,
  /** The first dimension is that of neighbours in memory, as after a transposition. */
  COLUMN_MAJOR,
  /** As a slice of a larger array: each dimension has gaps between its elements. */
  SLICED;

  /** What the gaps of {@link #SLICED} hold. */
  public static final double GAP = -7;

  /** A new tensor that lies so, with the numbers of another, as fp32 or fp64. */
  public HostTensor copy(HostTensor numbers, boolean fp64) {
    int[] shape = new int[numbers.shape().rank()];
    Arrays.setAll(shape, numbers.shape()::get);
    long[] strides = new long[shape.length];
    long step = this == SLICED ? 2 : 1;
    for (int i = 0; i < shape.length; i++) {
      int dimension = this == COLUMN_MAJOR ? i : shape.length - 1 - i;
      strides[dimension] = step;
      step *= this == SLICED ? shape[dimension] + 1 : shape[dimension];
    }
    HostTensor copy = fp64 ? doubles(shape, strides, step) : floats(shape, strides, step);
    double[] values = numbers.toArray();
    copy.write(0, values, 0, values.length);
    return copy;
  }

  private static HostTensor doubles(int[] shape, long[] strides, long size) {
    double[] all = new double[(int) size];
    Arrays.fill(all, GAP);
    return HostTensor.strided(DoubleBuffer.wrap(all), shape, strides);
  }

  private static HostTensor floats(int[] shape, long[] strides, long size) {
    float[] all = new float[(int) size];
    Arrays.fill(all, (float) GAP);
    return HostTensor.strided(FloatBuffer.wrap(all), shape, strides);
  }
}
