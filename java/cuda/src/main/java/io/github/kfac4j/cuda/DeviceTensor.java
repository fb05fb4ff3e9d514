package io.github.kfac4j.cuda;

import io.github.kfac4j.tensor.MemoryRegion;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;

/**
 * A tensor in the memory of a GPU, used where it is by the CUDA backend of that device and by no
 * other backend: no copy through the host. The data must be complete when it is handed over, or
 * written by work on the device's default stream or on the stream that the backend was opened on.
 * Memory stays the caller's.
 */
public final class DeviceTensor implements Tensor {
  /** Element types. Gradients must be {@link #F32}; samples may be of any type. */
  public enum Type {
    /** IEEE single precision. */
    F32(4),
    /** bfloat16. */
    BF16(2),
    /** IEEE half precision. */
    F16(2);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** The size of an element. */
    public int bytes() {
      return bytes;
    }
  }

  private final Shape shape;
  private final Type type;
  private final long address;

  private DeviceTensor(Shape shape, Type type, long address) {
    this.shape = shape;
    this.type = type;
    this.address = address;
  }

  /**
   * Wraps fp32 data.
   *
   * @see #of(Pointer, Type, int...)
   */
  public static DeviceTensor of(Pointer data, int... shape) {
    return of(data, Type.F32, shape);
  }

  /**
   * Wraps device memory. The pointer's position is used now; whether it is memory of the right
   * device is checked when a backend uses the tensor.
   *
   * @param data row-major and contiguous
   * @throws IllegalArgumentException if the pointer is null, not a multiple of the element's size,
   *     or known to point to fewer elements than the shape has
   */
  public static DeviceTensor of(Pointer data, Type type, int... shape) {
    Shape extents = Shape.of(shape);
    if (data == null || data.isNull()) {
      throw new IllegalArgumentException("a null pointer for a tensor of shape " + extents);
    }
    long address = data.address() + data.position() * data.sizeof();
    long known = (data.limit() - data.position()) * data.sizeof() / type.bytes;
    if (data.limit() > 0 && known < extents.size()) {
      throw new IllegalArgumentException(
          "shape %s has %d elements but the pointer has %d"
              .formatted(extents, extents.size(), known));
    }
    return of(address, type, shape);
  }

  /**
   * Wraps device memory at an address, as frameworks without JavaCPP tell it.
   *
   * @param address of data that is row-major and contiguous
   * @throws IllegalArgumentException if the address is null or not a multiple of the element's size
   */
  public static DeviceTensor of(long address, Type type, int... shape) {
    Shape extents = Shape.of(shape);
    if (address == 0 && extents.size() > 0) {
      throw new IllegalArgumentException("a null pointer for a tensor of shape " + extents);
    }
    if (address % type.bytes != 0) {
      throw new IllegalArgumentException(
          "misaligned pointer: 0x%x is not a multiple of %d, the size of %s"
              .formatted(address, type.bytes, type));
    }
    return new DeviceTensor(extents, type, address);
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public Optional<MemoryRegion> memory() {
    return Optional.of(MemoryRegion.at(address, type.bytes, shape));
  }

  /** The element type. */
  public Type type() {
    return type;
  }

  public long address() {
    return address;
  }
}
