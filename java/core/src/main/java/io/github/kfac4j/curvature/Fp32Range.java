package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;

/**
 * Magnitudes. Inputs and output gradients up to {@link #LARGEST} are taken. fp32 has room for the
 * second moments of those that are {@linkplain #isOrdinary ordinary}; all others are accumulated in
 * fp64, and stacks of fp32 then hold their elements times a power of two, which is exact.
 */
public final class Fp32Range {
  /** The largest absolute value of an input, or of an output gradient times its scale. */
  public static final double LARGEST = 1e18;

  /** Output gradients times their scale are zero, or somewhere at least this large. */
  public static final double SMALLEST_GRADIENT = 1e-60;

  private static final int STEP = 100;

  private Fp32Range() {}

  /**
   * Whether sums of squares stay in the normal range of fp32, and with them those of elements that
   * are a thousand times smaller than the largest.
   */
  public static boolean isOrdinary(double largest) {
    return largest == 0 || largest >= 0x1p-50 && largest <= 0x1p50;
  }

  /** The power of two by which elements up to a size are divided to be stored in fp32: mostly 0. */
  public static int exponent(double largest) {
    boolean fits = largest == 0 || largest >= 0x1p-90 && largest <= 0x1p100;
    return fits ? 0 : Math.getExponent(largest);
  }

  /**
   * The power of two by which a gradient is divided while it is preconditioned: mostly 0. With
   * {@link #inverseExponent} it leaves products with three inverses in the range of fp32.
   */
  public static int gradientExponent(double largest) {
    boolean fits = largest == 0 || largest >= 0x1p-36 && largest <= 0x1p50;
    return fits ? 0 : Math.getExponent(largest);
  }

  /** The power of two by which a damped factor of a size is divided when it is inverted. */
  public static int inverseExponent(double size) {
    return size >= 0x1p-30 && size <= 0x1p30 ? 0 : Math.getExponent(size);
  }

  /** The largest absolute value. */
  public static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  /** Multiplies tensors by {@code factor * 2^exponent}, in steps that fp32 has room for. */
  public static void multiply(
      Backend backend, List<? extends Tensor> tensors, double factor, int exponent) {
    // the factor of a KL clip may itself have no room in fp32
    int own = factor == 0 ? 0 : Math.getExponent(factor);
    int rest = exponent + own;
    while (Math.abs(rest) > STEP) {
      int step = rest > 0 ? STEP : -STEP;
      backend.scale(tensors, Math.scalb(1.0, step));
      rest -= step;
    }
    backend.scale(tensors, Math.scalb(Math.scalb(factor, -own), rest));
  }

  /** {@code values * 2^exponent} as a new array; the array itself for 0. */
  public static double[] scaled(double[] values, int exponent) {
    if (exponent == 0) {
      return values;
    }
    double[] scaled = new double[values.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = Math.scalb(values[i], exponent);
    }
    return scaled;
  }
}
