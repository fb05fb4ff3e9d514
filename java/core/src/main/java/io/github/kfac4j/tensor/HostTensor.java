package io.github.kfac4j.tensor;

import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/**
 * A tensor in host memory: a view of a {@link FloatBuffer} or a {@link DoubleBuffer}, direct or on
 * the heap, without a copy. Element 0 is the buffer's position at the time of wrapping; positions
 * and limits of the caller's buffer are neither used afterwards nor changed.
 */
public final class HostTensor implements Tensor {
  private final Shape shape;
  private final FloatBuffer floats;
  private final DoubleBuffer doubles;

  private HostTensor(Shape shape, FloatBuffer floats, DoubleBuffer doubles) {
    this.shape = shape;
    this.floats = floats;
    this.doubles = doubles;
  }

  /**
   * Wraps fp32 data.
   *
   * @throws IllegalArgumentException if fewer elements remain in {@code data} than the shape has
   */
  public static HostTensor of(FloatBuffer data, int... shape) {
    Shape s = checked(data, shape);
    return new HostTensor(s, data.slice(data.position(), (int) s.size()), null);
  }

  /**
   * Wraps fp64 data.
   *
   * @throws IllegalArgumentException if fewer elements remain in {@code data} than the shape has
   */
  public static HostTensor of(DoubleBuffer data, int... shape) {
    Shape s = checked(data, shape);
    return new HostTensor(s, null, data.slice(data.position(), (int) s.size()));
  }

  /** Wraps fp32 data; writes to the tensor write to the array. */
  public static HostTensor of(float[] data, int... shape) {
    return of(FloatBuffer.wrap(data), shape);
  }

  /** Wraps fp64 data; writes to the tensor write to the array. */
  public static HostTensor of(double[] data, int... shape) {
    return of(DoubleBuffer.wrap(data), shape);
  }

  /** A new tensor of zeros on the heap, in the precision of another. */
  public static HostTensor like(HostTensor other, int... shape) {
    int size = Math.toIntExact(Shape.of(shape).size());
    return other.isDouble() ? of(new double[size], shape) : of(new float[size], shape);
  }

  @Override
  public Shape shape() {
    return shape;
  }

  /** The number of elements. */
  public int size() {
    return isDouble() ? doubles.capacity() : floats.capacity();
  }

  /** Whether the data is fp64 rather than fp32. */
  public boolean isDouble() {
    return doubles != null;
  }

  /** Whether the buffer that it is a view of cannot be written. */
  public boolean isReadOnly() {
    return isDouble() ? doubles.isReadOnly() : floats.isReadOnly();
  }

  /** The fp32 data from element 0; throws {@link IllegalStateException} if the data is fp64. */
  public FloatBuffer floats() {
    if (floats == null) {
      throw new IllegalStateException("the tensor holds fp64 data");
    }
    return floats.duplicate();
  }

  /** The fp64 data from element 0; throws {@link IllegalStateException} if the data is fp32. */
  public DoubleBuffer doubles() {
    if (doubles == null) {
      throw new IllegalStateException("the tensor holds fp32 data");
    }
    return doubles.duplicate();
  }

  /**
   * Copies elements {@code [start, start + length)} to {@code target[offset...]}, widening fp32.
   */
  public void read(int start, double[] target, int offset, int length) {
    if (doubles != null) {
      doubles.get(start, target, offset, length);
      return;
    }
    float[] chunk = new float[Math.min(length, 4096)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      floats.get(start + done, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target[offset + done + i] = chunk[i];
      }
    }
  }

  /** Copies {@code source[offset, offset + length)} to elements from {@code start}, rounding. */
  public void write(int start, double[] source, int offset, int length) {
    if (doubles != null) {
      doubles.put(start, source, offset, length);
      return;
    }
    float[] chunk = new float[Math.min(length, 4096)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      for (int i = 0; i < n; i++) {
        chunk[i] = (float) source[offset + done + i];
      }
      floats.put(start + done, chunk, 0, n);
    }
  }

  /**
   * A view of the first {@code count} entries of the first dimension.
   *
   * @throws IllegalArgumentException if there are fewer
   */
  public HostTensor leading(int count) {
    if (shape.rank() == 0 || count < 0 || count > shape.get(0)) {
      throw new IllegalArgumentException("shape " + shape + " has no first " + count + " entries");
    }
    int[] extents = new int[shape.rank()];
    extents[0] = count;
    for (int i = 1; i < extents.length; i++) {
      extents[i] = shape.get(i);
    }
    return isDouble() ? of(doubles(), extents) : of(floats(), extents);
  }

  /** All elements as a new fp64 array. */
  public double[] toArray() {
    double[] all = new double[size()];
    read(0, all, 0, all.length);
    return all;
  }

  private static Shape checked(Buffer data, int[] extents) {
    Shape shape = Shape.of(extents);
    if (shape.size() > data.remaining()) {
      throw new IllegalArgumentException(
          "shape %s has %d elements but the buffer holds %d"
              .formatted(shape, shape.size(), data.remaining()));
    }
    return shape;
  }
}
