package io.github.kfac4j.distributed.exchange;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.safetensors.Half;
import java.nio.ByteBuffer;

/** Blocks of numbers as bytes, in multiples of four. */
public enum BlockFormat {
  FP32 {
    @Override
    public int bytes(int count) {
      return Buffers.size((long) Float.BYTES * count);
    }

    @Override
    void encode(float[] values, ByteBuffer target) {
      target.asFloatBuffer().put(values);
      target.position(target.position() + bytes(values.length));
    }

    @Override
    void decode(ByteBuffer source, float[] values) {
      source.asFloatBuffer().get(values);
      source.position(source.position() + bytes(values.length));
    }
  },

  /** A power of two as fp32, then the numbers divided by it. */
  FP16 {
    @Override
    public int bytes(int count) {
      return Buffers.size(Float.BYTES + (count + 1L) / 2 * Float.BYTES);
    }

    @Override
    void encode(float[] values, ByteBuffer target) {
      float scale = scale(values);
      target.putFloat(scale);
      for (float value : values) {
        target.putShort(Half.of(value / scale));
      }
      if (values.length % 2 == 1) {
        target.putShort((short) 0);
      }
    }

    @Override
    void decode(ByteBuffer source, float[] values) {
      float scale = source.getFloat();
      for (int i = 0; i < values.length; i++) {
        values[i] = scale * Half.toFloat(source.getShort());
      }
      if (values.length % 2 == 1) {
        source.getShort();
      }
    }
  };

  /** Bytes of a block. */
  public abstract int bytes(int count);

  /** Appends a block. */
  abstract void encode(float[] values, ByteBuffer target);

  /** Takes the next block. */
  abstract void decode(ByteBuffer source, float[] values);

  /** The power of two that brings the largest magnitude into [2^14, 2^15). */
  private static float scale(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    boolean ordinary = largest > 0 && largest <= Float.MAX_VALUE;
    return ordinary ? Math.scalb(1f, Math.max(Math.getExponent(largest) - 14, -126)) : 1;
  }
}
