package io.github.kfac4j.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * A row-major tensor: element type, shape and little-endian data.
 *
 * <p>The data buffer is shared, not copied: whoever creates a tensor from a buffer keeps the buffer
 * unchanged for as long as the tensor is used. Tensors read from a file own a direct buffer that
 * the garbage collector frees.
 */
public final class StoredTensor {
  private final DType dtype;
  private final long[] shape;
  private final ByteBuffer data;

  private StoredTensor(DType dtype, long[] shape, ByteBuffer data) {
    this.dtype = dtype;
    this.shape = shape.clone();
    this.data = data.slice();
    long expected = byteCount(dtype, shape);
    if (expected != data.remaining()) {
      throw new IllegalArgumentException(
          "shape %s of %s needs %d bytes of data, got %d"
              .formatted(Arrays.toString(shape), dtype, expected, data.remaining()));
    }
  }

  /**
   * A tensor over the remaining bytes of {@code data}, which hold little-endian elements.
   *
   * @throws IllegalArgumentException if the number of bytes does not fit the shape
   */
  public static StoredTensor of(DType dtype, ByteBuffer data, long... shape) {
    return new StoredTensor(dtype, shape, data);
  }

  /** An {@code F32} tensor with a copy of {@code values}. */
  public static StoredTensor of(float[] values, long... shape) {
    ByteBuffer data = allocate(DType.F32, values.length);
    data.asFloatBuffer().put(values);
    return new StoredTensor(DType.F32, shape, data);
  }

  /** An {@code F64} tensor with a copy of {@code values}. */
  public static StoredTensor of(double[] values, long... shape) {
    ByteBuffer data = allocate(DType.F64, values.length);
    data.asDoubleBuffer().put(values);
    return new StoredTensor(DType.F64, shape, data);
  }

  /** An {@code I64} tensor with a copy of {@code values}. */
  public static StoredTensor of(long[] values, long... shape) {
    ByteBuffer data = allocate(DType.I64, values.length);
    data.asLongBuffer().put(values);
    return new StoredTensor(DType.I64, shape, data);
  }

  private static ByteBuffer allocate(DType dtype, int elements) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(dtype.byteSize(), elements))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Bytes of data of a tensor. Throws {@link ArithmeticException} beyond 2^63. */
  static long byteCount(DType dtype, long[] shape) {
    long count = dtype.byteSize();
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(shape));
      }
      count = Math.multiplyExact(count, extent);
    }
    return count;
  }

  /** Element type. */
  public DType dtype() {
    return dtype;
  }

  /** A copy of the shape; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /** The data, little-endian, from position 0 to the limit: a view, not a copy. */
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A view of the elements of an {@code F32} tensor. */
  public FloatBuffer asFloatBuffer() {
    require(DType.F32);
    return data().asFloatBuffer();
  }

  /** A view of the elements of an {@code F64} tensor. */
  public DoubleBuffer asDoubleBuffer() {
    require(DType.F64);
    return data().asDoubleBuffer();
  }

  /** A view of the elements of an {@code I64} tensor. */
  public LongBuffer asLongBuffer() {
    require(DType.I64);
    return data().asLongBuffer();
  }

  private void require(DType wanted) {
    if (dtype != wanted) {
      throw new IllegalStateException("tensor has dtype %s, not %s".formatted(dtype, wanted));
    }
  }

  /** Whether both have the same type, shape and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof StoredTensor that
        && dtype == that.dtype
        && Arrays.equals(shape, that.shape)
        && data.equals(that.data);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * dtype.hashCode() + Arrays.hashCode(shape)) + data.hashCode();
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
