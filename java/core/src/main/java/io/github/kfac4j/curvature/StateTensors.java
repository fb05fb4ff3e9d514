package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Stacks of matrices as stored tensors, in the stack's own precision. A stack whose matrices are
 * symmetric to the bit is stored as lower triangles: {@code [count, n (n + 1) / 2]}, element (r, c)
 * at {@code r (r + 1) / 2 + c}. Every other stack is {@code [count, rows, cols]}.
 */
public final class StateTensors {
  /** The name of a layer's counters in a saved state. */
  public static final String COUNTERS = "counters";

  /** The name of the exponents of a layer's stacks. */
  public static final String EXPONENTS = "exponents";

  private StateTensors() {}

  public static StoredTensor store(MatrixStack stack) {
    double[] elements = stack.toArray();
    int n = stack.rows();
    boolean packed = n > 1 && n == stack.cols() && symmetric(elements, n);
    double[] stored = packed ? pack(elements, n) : elements;
    long[] shape =
        packed
            ? new long[] {stack.count(), stored.length / stack.count()}
            : new long[] {stack.count(), n, stack.cols()};
    if (stack.isDouble()) {
      return StoredTensor.of(stored, shape);
    }
    float[] floats = new float[stored.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) stored[i];
    }
    return StoredTensor.of(floats, shape);
  }

  /**
   * The elements of a stack from what {@link #store} gave.
   *
   * @throws IllegalArgumentException naming the tensor, if shape or type do not fit
   */
  public static double[] load(String name, StoredTensor stored, MatrixStack stack) {
    long n = stack.rows();
    long[] full = {stack.count(), n, stack.cols()};
    long[] packed = {stack.count(), n * (n + 1) / 2};
    boolean isPacked = n == stack.cols() && Arrays.equals(stored.shape(), packed);
    if (!isPacked && !Arrays.equals(stored.shape(), full)) {
      throw new IllegalArgumentException(
          "the saved K-FAC state has '%s' with shape %s, expected %s"
              .formatted(name, Arrays.toString(stored.shape()), Arrays.toString(full)));
    }
    double[] values = values(name, stored);
    return isPacked ? unpack(values, stack.rows()) : values;
  }

  private static double[] values(String name, StoredTensor stored) {
    return switch (stored.dtype()) {
      case F64 -> {
        double[] values = new double[stored.asDoubleBuffer().remaining()];
        stored.asDoubleBuffer().get(values);
        yield values;
      }
      case F32 -> {
        float[] values = new float[stored.asFloatBuffer().remaining()];
        stored.asFloatBuffer().get(values);
        yield IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
      }
      default ->
          throw new IllegalArgumentException(
              "the saved K-FAC state has '%s' as %s, expected F32 or F64"
                  .formatted(name, stored.dtype()));
    };
  }

  private static boolean symmetric(double[] x, int n) {
    for (int m = 0; m < x.length; m += n * n) {
      for (int r = 1; r < n; r++) {
        for (int c = 0; c < r; c++) {
          if (Double.doubleToRawLongBits(x[m + r * n + c])
              != Double.doubleToRawLongBits(x[m + c * n + r])) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private static double[] pack(double[] x, int n) {
    double[] packed = new double[x.length / n / n * (n * (n + 1) / 2)];
    int at = 0;
    for (int row = 0; row < x.length / n; row++) {
      int length = row % n + 1;
      System.arraycopy(x, row * n, packed, at, length);
      at += length;
    }
    return packed;
  }

  private static double[] unpack(double[] packed, int n) {
    double[] x = new double[packed.length / (n * (n + 1) / 2) * n * n];
    int at = 0;
    for (int row = 0; row < x.length / n; row++) {
      int matrix = row / n * n * n;
      int r = row % n;
      for (int c = 0; c <= r; c++, at++) {
        x[matrix + r * n + c] = packed[at];
        x[matrix + c * n + r] = packed[at];
      }
    }
    return x;
  }
}
