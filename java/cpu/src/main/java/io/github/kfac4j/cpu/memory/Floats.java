package io.github.kfac4j.cpu.memory;

import io.github.kfac4j.backend.MemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * A place in a block of fp32 memory outside the heap, seen by BLAS as a pointer and by Java as a
 * buffer. Indices count from the place and are not checked against its end, only against the
 * block's.
 */
public final class Floats {
  /** Floats in a cache line. */
  public static final int ALIGNMENT = 16;

  /** The most elements of a block: a buffer counts its bytes in an int. */
  public static final long LARGEST = Integer.MAX_VALUE / Float.BYTES - 2L * ALIGNMENT;

  private final FloatPointer block;
  private final FloatBuffer buffer;

  /** The same memory as fp64; null where it is not this backend's own. */
  private final DoubleBuffer doubles;

  private final int start;

  private Floats(FloatPointer block, FloatBuffer buffer, DoubleBuffer doubles, int start) {
    this.block = block;
    this.buffer = buffer;
    this.doubles = doubles;
    this.start = start;
  }

  /** A new block of zeros at a multiple of 64 bytes, to be released with {@link #free()}. */
  public static Floats allocate(long length) {
    if (length > LARGEST) {
      throw new MemoryException(
          "the cpu backend needs %s in one piece, and can have at most %s: use a smaller batch, or"
                  .formatted(
                      MemoryException.text((double) Float.BYTES * length),
                      MemoryException.text(Float.BYTES * LARGEST))
              + " leave the largest layer out",
          null);
    }
    FloatPointer block = detached(length + ALIGNMENT);
    block.zero();
    long past = block.address() / Float.BYTES % ALIGNMENT;
    ByteBuffer bytes = block.asByteBuffer();
    int start = (int) (ALIGNMENT - past);
    return new Floats(block, bytes.asFloatBuffer(), bytes.asDoubleBuffer(), start);
  }

  /** Memory that no scope frees, whatever scopes the caller has open. */
  private static FloatPointer detached(long length) {
    try (PointerScope own = new PointerScope()) {
      FloatPointer block = new FloatPointer(length);
      own.detach(block.retainReference());
      return block;
    }
  }

  /** Whether the memory of a buffer can be used as it is. */
  public static boolean canWrap(FloatBuffer data) {
    return data.isDirect() && data.order() == ByteOrder.nativeOrder();
  }

  /** The memory of a buffer for which {@link #canWrap} holds, from the buffer's position. */
  public static Floats wrap(FloatBuffer data) {
    FloatBuffer slice = data.slice();
    return new Floats(new FloatPointer(slice), slice, null, 0);
  }

  /** Releases a block that {@link #allocate} made. */
  public void free() {
    block.close();
  }

  /** The place {@code distance} elements further on. */
  public Floats plus(long distance) {
    return new Floats(block, buffer, doubles, Math.toIntExact(start + distance));
  }

  /** This place, at a multiple of 8 bytes in a block of this backend's own, as fp64. */
  Doubles asDoubles() {
    return new Doubles(this, doubles, start / 2);
  }

  /** What native code takes; valid as long as the block is reachable. */
  public long address() {
    return address(0);
  }

  /** The address of the place {@code distance} elements further on, for which no object is made. */
  public long address(long distance) {
    return block.address() + Float.BYTES * (start + distance);
  }

  /** The block's buffer; element 0 of this place is at {@link #start()}. */
  public FloatBuffer buffer() {
    return buffer;
  }

  /** The index of this place in {@link #buffer()}. */
  public int start() {
    return start;
  }

  public float get(int index) {
    return buffer.get(start + index);
  }

  public void put(int index, float value) {
    buffer.put(start + index, value);
  }

  /** Copies elements from {@code index} on to the beginning of an array. */
  public void get(int index, float[] target, int length) {
    buffer.get(start + index, target, 0, length);
  }

  /** Copies the beginning of an array to the elements from {@code index} on. */
  public void put(int index, float[] source, int length) {
    buffer.put(start + index, source, 0, length);
  }

  /** Copies {@code length} elements of a source to this place. */
  public void copy(Floats source, int length) {
    buffer.put(start, source.buffer, source.start, length);
  }

  /** Sets {@code length} elements from this place on. */
  public void fill(int length, float value) {
    fill(0, length, value);
  }

  /** Sets {@code length} elements from the place {@code distance} elements further on. */
  public void fill(int distance, int length, float value) {
    int first = start + distance;
    for (int i = first; i < first + length; i++) {
      buffer.put(i, value);
    }
  }
}
