package io.github.kfac4j.distributed.collectives;

import io.github.kfac4j.backend.MemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Memory that engines can send. */
public final class Buffers {
  private Buffers() {}

  /** A direct buffer in native order. */
  public static ByteBuffer bytes(int count) {
    return ByteBuffer.allocateDirect(count).order(ByteOrder.nativeOrder());
  }

  /** A direct buffer for fp32 numbers. */
  public static ByteBuffer floats(int count) {
    return bytes(Math.multiplyExact(count, Float.BYTES));
  }

  /** A direct copy of numbers. */
  public static ByteBuffer of(float... values) {
    ByteBuffer buffer = floats(values.length);
    buffer.asFloatBuffer().put(values);
    return buffer;
  }

  /** The numbers of a buffer, as a new array. */
  public static float[] toArray(ByteBuffer floats) {
    float[] values = new float[floats.remaining() / Float.BYTES];
    floats.duplicate().order(floats.order()).asFloatBuffer().get(values);
    return values;
  }

  public static int sum(int[] counts) {
    return size(Arrays.stream(counts).asLongStream().sum());
  }

  /**
   * The bytes of a buffer that holds what ranks exchange at once.
   *
   * @throws MemoryException if no buffer is that large
   */
  public static int size(long bytes) {
    if (bytes > Integer.MAX_VALUE) {
      throw new MemoryException(
          "ranks would exchange %s at once, which is more than the 2.0 GiB of a buffer: choose"
                  .formatted(MemoryException.text(bytes))
              + " DIAGONAL for the largest layers or leave them out",
          null);
    }
    return (int) bytes;
  }

  /** Checks that counts and buffers fit each other. */
  public static void require(
      boolean fits, String operation, String what, Object found, Object expected) {
    if (!fits) {
      throw new IllegalArgumentException(
          "%s: %s, found %s, expected %s".formatted(operation, what, found, expected));
    }
  }
}
