package io.github.kfac4j.testkit;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Random data that fp32 holds exactly, so that all start from the same numbers, and errors. */
public final class Fixtures {
  /** The unit roundoff of fp32. */
  public static final double U = 0x1p-24;

  private Fixtures() {}

  /** Standard Gaussian numbers. */
  public static double[] gaussian(Random random, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** A direct fp32 tensor, the kind trainers share. */
  public static HostTensor direct(double[] values, int... shape) {
    FloatBuffer buffer =
        ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder()).asFloatBuffer();
    for (int i = 0; i < values.length; i++) {
      buffer.put(i, (float) values[i]);
    }
    return HostTensor.of(buffer, shape.length == 0 ? new int[] {values.length} : shape);
  }

  /** A stack with the given elements, rounded to the backend's precision. */
  public static MatrixStack stack(Backend backend, int count, int rows, int cols, double[] values) {
    MatrixStack stack = backend.allocate(count, rows, cols);
    stack.set(values);
    return stack;
  }

  /** A covariance of {@code samples} Gaussian vectors: rank deficient if there are fewer than n. */
  public static double[] covariance(Random random, int n, int samples) {
    try (JavaBackend java = new JavaBackend();
        MatrixStack stack = java.allocate(1, n, n)) {
      HostTensor rows = HostTensor.of(gaussian(random, samples * n), samples, n);
      RowSamples vectors = new RowSamples(rows, samples, 1, 1, n, false);
      java.accumulate(List.of(new AccumulateRequest(stack, 0, 1.0 / samples, vectors)));
      return rounded(stack.toArray());
    }
  }

  /** {@code count} covariances plus half the identity, one after the other. */
  public static double[] positiveDefinite(Random random, int count, int n) {
    double[] all = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      double[] one = damped(covariance(random, n, Math.min(64, 2 * n)), n, 1, 0.5);
      System.arraycopy(rounded(one), 0, all, k * n * n, n * n);
    }
    return all;
  }

  /** As fp32 stores it. */
  public static double[] rounded(double[] x) {
    return Arrays.stream(x).map(v -> (float) v).toArray();
  }

  /** {@code scale M + damping I}. */
  public static double[] damped(double[] m, int n, double scale, double damping) {
    double[] d = new double[m.length];
    for (int i = 0; i < m.length; i++) {
      d[i] = scale * m[i] + (i % (n + 1) == 0 ? damping : 0);
    }
    return d;
  }

  /**
   * The largest difference by the largest magnitude expected; infinite if a value is not finite.
   *
   * @throws IllegalArgumentException if there are not as many values as expected
   */
  public static double error(double[] actual, double[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalArgumentException(
          "%d values, expected %d".formatted(actual.length, expected.length));
    }
    double difference = 0;
    double magnitude = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!Double.isFinite(actual[i])) {
        return Double.POSITIVE_INFINITY;
      }
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
      magnitude = Math.max(magnitude, Math.abs(expected[i]));
    }
    return magnitude == 0 ? difference : difference / magnitude;
  }

  /** The Frobenius norm of the difference by that of what is expected. */
  public static double frobeniusError(double[] actual, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }
}
