package io.github.kfac4j.distributed;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

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

  static int sum(int[] counts) {
    int sum = 0;
    for (int count : counts) {
      sum = Math.addExact(sum, count);
    }
    return sum;
  }

  /** Checks that counts and buffers fit each other. */
  static void require(boolean fits, String operation, String what, Object found, Object expected) {
    if (!fits) {
      throw new IllegalArgumentException(
          "%s: %s, found %s, expected %s".formatted(operation, what, found, expected));
    }
  }
}
