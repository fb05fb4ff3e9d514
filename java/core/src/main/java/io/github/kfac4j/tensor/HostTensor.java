package io.github.kfac4j.tensor;

import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * A tensor in host memory: a view of a {@link FloatBuffer} or a {@link DoubleBuffer}, direct or on
 * the heap, without a copy. Element 0 is the buffer's position at the time of wrapping; positions
 * and limits of the caller's buffer are neither used afterwards nor changed.
 *
 * <p>Elements lie row by row unless there are {@linkplain #strided(FloatBuffer, int[], long...)
 * strides}, as a transposed, sliced or expanded array of a trainer has them. Indices of single
 * elements always count row by row, however the elements lie.
 */
public final class HostTensor implements Tensor {
  private static final int CHUNK = 4096;

  private final Shape shape;
  private final FloatBuffer floats;
  private final DoubleBuffer doubles;
  private final Strides strides;

  private HostTensor(Shape shape, FloatBuffer floats, DoubleBuffer doubles, Strides strides) {
    this.shape = shape;
    this.floats = floats;
    this.doubles = doubles;
    this.strides = strides;
  }

  /**
   * Wraps fp32 data.
   *
   * @throws IllegalArgumentException if fewer elements remain in {@code data} than the shape has
   */
  public static HostTensor of(FloatBuffer data, int... shape) {
    Shape s = checked(data, shape);
    return new HostTensor(s, data.slice(data.position(), (int) s.size()), null, null);
  }

  /**
   * Wraps fp64 data.
   *
   * @throws IllegalArgumentException if fewer elements remain in {@code data} than the shape has
   */
  public static HostTensor of(DoubleBuffer data, int... shape) {
    Shape s = checked(data, shape);
    return new HostTensor(s, null, data.slice(data.position(), (int) s.size()), null);
  }

  /** Wraps fp32 data; writes to the tensor write to the array. */
  public static HostTensor of(float[] data, int... shape) {
    return of(FloatBuffer.wrap(data), shape);
  }

  /** Wraps fp64 data; writes to the tensor write to the array. */
  public static HostTensor of(double[] data, int... shape) {
    return of(DoubleBuffer.wrap(data), shape);
  }

  /**
   * Wraps fp32 data that does not lie row by row: element {@code (i0, i1, ...)} is {@code i0
   * strides[0] + i1 strides[1] + ...} elements behind the buffer's position. A stride of 0 repeats
   * what is there, which only tensors that are read may do.
   *
   * @param strides one for each dimension, in elements
   * @throws IllegalArgumentException if there are more than 2^31 - 1 elements, a stride is missing
   *     or negative, or the last element is not in the buffer
   */
  public static HostTensor strided(FloatBuffer data, int[] shape, long... strides) {
    Shape s = counted(shape);
    Strides checked = Strides.of(s, strides, data.remaining());
    return checked == null ? of(data, shape) : new HostTensor(s, data.slice(), null, checked);
  }

  /**
   * Wraps fp64 data that does not lie row by row.
   *
   * @param strides one for each dimension, in elements
   * @throws IllegalArgumentException as {@link #strided(FloatBuffer, int[], long...)}
   */
  public static HostTensor strided(DoubleBuffer data, int[] shape, long... strides) {
    Shape s = counted(shape);
    Strides checked = Strides.of(s, strides, data.remaining());
    return checked == null ? of(data, shape) : new HostTensor(s, null, data.slice(), checked);
  }

  /**
   * A new tensor of zeros on the heap, in the precision of another.
   *
   * @throws IllegalArgumentException if there are more than 2^31 - 1 elements
   */
  public static HostTensor like(HostTensor other, int... shape) {
    int size = (int) counted(shape).size();
    return other.isDouble() ? of(new double[size], shape) : of(new float[size], shape);
  }

  @Override
  public Shape shape() {
    return shape;
  }

  /** The number of elements. */
  public int size() {
    return (int) shape.size();
  }

  /** Whether the data is fp64 rather than fp32. */
  public boolean isDouble() {
    return doubles != null;
  }

  /** Whether the elements lie row by row without gaps. */
  public boolean isContiguous() {
    return strides == null;
  }

  /** How far elements of each dimension lie apart, in elements. */
  public long[] strides() {
    if (strides != null) {
      return strides.steps();
    }
    long[] steps = new long[shape.rank()];
    long step = 1;
    for (int i = steps.length - 1; i >= 0; i--) {
      steps[i] = step;
      step *= Math.max(shape.get(i), 1);
    }
    return steps;
  }

  /**
   * Whether strides let several elements be the same place in memory, or may do so: each dimension
   * must step over all that have smaller strides. Such a tensor can be read, and not written.
   */
  public boolean overlaps() {
    return strides != null && !strides.areApart();
  }

  @Override
  public Optional<MemoryRegion> memory() {
    Buffer buffer = isDouble() ? doubles : floats;
    int bytes = isDouble() ? Double.BYTES : Float.BYTES;
    return BufferMemory.of(buffer, bytes)
        .map(
            at ->
                strides == null
                    ? MemoryRegion.of(
                        at.base(), at.bytes(), bytes, new int[] {size()}, new int[] {1})
                    : strides.region(at, bytes));
  }

  /** Whether the buffer that it is a view of cannot be written. */
  public boolean isReadOnly() {
    return isDouble() ? doubles.isReadOnly() : floats.isReadOnly();
  }

  /**
   * The fp32 data from element 0.
   *
   * @throws IllegalStateException if the data is fp64 or not {@linkplain #isContiguous()
   *     contiguous}
   */
  public FloatBuffer floats() {
    if (floats == null) {
      throw new IllegalStateException("the tensor holds fp64 data");
    }
    requireContiguous();
    return floats.duplicate();
  }

  /**
   * The fp64 data from element 0.
   *
   * @throws IllegalStateException if the data is fp32 or not {@linkplain #isContiguous()
   *     contiguous}
   */
  public DoubleBuffer doubles() {
    if (doubles == null) {
      throw new IllegalStateException("the tensor holds fp32 data");
    }
    requireContiguous();
    return doubles.duplicate();
  }

  private void requireContiguous() {
    if (strides != null) {
      throw new IllegalStateException(
          "the tensor of shape %s has strides %s: its elements do not lie row by row"
              .formatted(shape, strides));
    }
  }

  /**
   * Copies elements {@code [start, start + length)} to {@code target[offset...]}, widening fp32.
   */
  public void read(int start, double[] target, int offset, int length) {
    if (strides != null) {
      Objects.checkFromIndexSize(start, length, size());
      strides.runs(
          start, length, (at, step, done, n) -> gather(at, step, target, offset + done, n));
      return;
    }
    if (doubles != null) {
      doubles.get(start, target, offset, length);
      return;
    }
    float[] chunk = new float[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      floats.get(start + done, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target[offset + done + i] = chunk[i];
      }
    }
  }

  private void gather(int at, int step, double[] target, int offset, int count) {
    for (int i = 0; i < count; i++) {
      int from = at + i * step;
      target[offset + i] = doubles != null ? doubles.get(from) : floats.get(from);
    }
  }

  /**
   * Fills a buffer from its position to its limit with elements from {@code start} on, rounding
   * fp64; the position stays.
   */
  public void read(int start, FloatBuffer target) {
    int length = target.remaining();
    int first = target.position();
    if (strides == null && floats != null) {
      target.put(first, floats, start, length);
      return;
    }
    double[] chunk = new double[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      read(start + done, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target.put(first + done + i, (float) chunk[i]);
      }
    }
  }

  /** Copies {@code source[offset, offset + length)} to elements from {@code start}, rounding. */
  public void write(int start, double[] source, int offset, int length) {
    if (strides != null) {
      Objects.checkFromIndexSize(start, length, size());
      strides.runs(
          start, length, (at, step, done, n) -> scatter(at, step, source, offset + done, n));
      return;
    }
    if (doubles != null) {
      doubles.put(start, source, offset, length);
      return;
    }
    float[] chunk = new float[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      for (int i = 0; i < n; i++) {
        chunk[i] = (float) source[offset + done + i];
      }
      floats.put(start + done, chunk, 0, n);
    }
  }

  private void scatter(int at, int step, double[] source, int offset, int count) {
    for (int i = 0; i < count; i++) {
      int to = at + i * step;
      if (doubles != null) {
        doubles.put(to, source[offset + i]);
      } else {
        floats.put(to, (float) source[offset + i]);
      }
    }
  }

  /**
   * Copies a buffer from its position to its limit to elements from {@code start} on; the position
   * stays.
   */
  public void write(int start, FloatBuffer source) {
    int length = source.remaining();
    int first = source.position();
    if (strides == null && floats != null) {
      floats.put(start, source, first, length);
      return;
    }
    double[] chunk = new double[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      for (int i = 0; i < n; i++) {
        chunk[i] = source.get(first + done + i);
      }
      write(start + done, chunk, 0, n);
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
    int[] extents = extents();
    extents[0] = count;
    return view(extents, strides());
  }

  /**
   * A view with its dimensions in another order: {@code permute(1, 0)} is the transpose of a
   * matrix, {@code permute(0, 3, 1, 2)} images {@code [N, H, W, C]} as {@code [N, C, H, W]}.
   *
   * @param order of the dimensions as they are now
   * @throws IllegalArgumentException if it does not name each dimension once
   */
  public HostTensor permute(int... order) {
    int[] sorted = order.clone();
    Arrays.sort(sorted);
    for (int i = 0; i < Math.max(sorted.length, shape.rank()); i++) {
      if (sorted.length != shape.rank() || sorted[i] != i) {
        throw new IllegalArgumentException(
            "the dimensions %s are not those of shape %s, each once"
                .formatted(Arrays.toString(order), shape));
      }
    }
    long[] now = strides();
    int[] extents = new int[order.length];
    long[] steps = new long[order.length];
    for (int i = 0; i < order.length; i++) {
      extents[i] = shape.get(order[i]);
      steps[i] = now[order[i]];
    }
    return view(extents, steps);
  }

  private HostTensor view(int[] extents, long[] steps) {
    return isDouble() ? strided(doubles, extents, steps) : strided(floats, extents, steps);
  }

  private int[] extents() {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
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

  private static Shape counted(int[] extents) {
    Shape shape = Shape.of(extents);
    if (shape.size() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "shape %s has %d elements, and a tensor at most %d"
              .formatted(shape, shape.size(), Integer.MAX_VALUE));
    }
    return shape;
  }
}
