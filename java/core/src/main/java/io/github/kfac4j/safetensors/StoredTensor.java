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
  private final String type;
  private final long[] shape;
  private final ByteBuffer data;

  private StoredTensor(DType dtype, long[] shape, ByteBuffer data) {
    this(dtype.name(), shape, data);
  }

  /** A tensor of a type by its name in the file; bytes of an unknown type may be any number. */
  StoredTensor(String type, long[] shape, ByteBuffer data) {
    this.dtype = DType.named(type);
    this.type = type;
    this.shape = shape.clone();
    this.data = data.slice();
    if (dtype == DType.OTHER) {
      return;
    }
    long expected = byteCount(dtype, shape);
    if (expected != data.remaining()) {
      throw new IllegalArgumentException(
          "shape %s of %s needs %d bytes of data, got %d"
              .formatted(Arrays.toString(shape), dtype, expected, data.remaining()));
    }
  }

  /**
   * A tensor over the remaining bytes of {@code data}, which hold little-endian elements of a type
   * other than {@link DType#OTHER}.
   *
   * @throws IllegalArgumentException if the number of bytes does not fit the shape
   */
  public static StoredTensor of(DType dtype, ByteBuffer data, long... shape) {
    if (dtype == DType.OTHER) {
      throw new IllegalArgumentException("OTHER is for types in files that are read, and no type");
    }
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
    return ByteBuffer.allocateDirect(Math.toIntExact(dtype.byteCount(elements)))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Bytes of data of a tensor.
   *
   * @throws IllegalArgumentException if an extent is negative, or they are not whole bytes, or
   *     beyond 2^63 bits
   */
  public static long byteCount(DType dtype, long... shape) {
    try {
      long count = 1;
      for (long extent : shape) {
        if (extent < 0) {
          throw new IllegalArgumentException(
              "impossible shape %s: negative extent".formatted(Arrays.toString(shape)));
        }
        count = Math.multiplyExact(count, extent);
      }
      return dtype.byteCount(count);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "impossible shape %s for %s: too large, or no whole bytes"
              .formatted(Arrays.toString(shape), dtype),
          e);
    }
  }

  /** Element type. */
  public DType dtype() {
    return dtype;
  }

  /** The name of the element type in the file, which says more where it is {@link DType#OTHER}. */
  public String type() {
    return type;
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

  /** Whether {@link #toDoubles} gives the elements. */
  public boolean isNumeric() {
    return switch (dtype) {
      case U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64 -> true;
      default -> false;
    };
  }

  /**
   * A copy of the elements as fp64, which all numbers are exactly except integers beyond 2^53.
   *
   * @throws IllegalStateException if they are not numbers, or of a type that is kept only
   */
  public double[] toDoubles() {
    if (!isNumeric()) {
      throw new IllegalStateException("the elements of type " + type + " cannot be read");
    }
    ByteBuffer bytes = data();
    double[] values = new double[(int) (bytes.remaining() * 8L / dtype.bits())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (dtype) {
            case U8 -> Byte.toUnsignedInt(bytes.get());
            case I8 -> bytes.get();
            case I16 -> bytes.getShort();
            case U16 -> Short.toUnsignedInt(bytes.getShort());
            case F16 -> Half.toFloat(bytes.getShort());
            case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
            case I32 -> bytes.getInt();
            case U32 -> Integer.toUnsignedLong(bytes.getInt());
            case F32 -> bytes.getFloat();
            case F64 -> bytes.getDouble();
            default -> bytes.getLong();
          };
    }
    return values;
  }

  private void require(DType wanted) {
    if (dtype != wanted) {
      throw new IllegalStateException("tensor has dtype %s, not %s".formatted(type, wanted));
    }
  }

  /** Whether both have the same type, shape and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof StoredTensor that
        && type.equals(that.type)
        && Arrays.equals(shape, that.shape)
        && data.equals(that.data);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * type.hashCode() + Arrays.hashCode(shape)) + data.hashCode();
  }

  @Override
  public String toString() {
    return type + Arrays.toString(shape);
  }
}
