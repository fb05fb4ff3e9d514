package io.github.kfac4j.safetensors;

/** IEEE 754 half precision (fp16), which JDK 17 does not have. */
public final class Half {
  /** The largest finite number. */
  public static final float MAX = 65504;

  private Half() {}

  /** The nearest fp16 number, ties to even; overflow gives infinity. */
  public static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    float magnitude = Math.abs(value);
    if (!(magnitude < 65520)) {
      return (short) (sign | (Float.isNaN(value) ? 0x7e00 : 0x7c00));
    }
    if (magnitude < 0x1p-14f) {
      // subnormal: multiples of 2^-24
      return (short) (sign | (int) Math.rint((double) magnitude * 0x1p24));
    }
    int mantissa = bits & 0x7fffff;
    int half = (bits >>> 23 & 0xff) - 112 << 10 | mantissa >>> 13;
    int rest = mantissa & 0x1fff;
    if (rest > 0x1000 || rest == 0x1000 && (half & 1) == 1) {
      half++; // may carry into the exponent, which is right
    }
    return (short) (sign | half);
  }

  /** The same number in fp32. */
  public static float toFloat(short half) {
    int exponent = half >>> 10 & 0x1f;
    int mantissa = half & 0x3ff;
    float magnitude =
        switch (exponent) {
          case 0 -> mantissa * 0x1p-24f;
          case 31 -> mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
          default -> Float.intBitsToFloat(exponent + 112 << 23 | mantissa << 13);
        };
    return half < 0 ? -magnitude : magnitude;
  }
}
