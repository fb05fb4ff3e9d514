package io.github.kfac4j.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;

/** Random data and comparisons for tests of backends. */
public final class Fixtures {
  private Fixtures() {}

  /** Values that fp32 holds exactly, so that every backend starts from the same numbers. */
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
    double[][] rows = new double[samples][];
    for (int i = 0; i < samples; i++) {
      rows[i] = gaussian(random, n);
    }
    double[] m = Literal.secondMoment(rows);
    for (int i = 0; i < m.length; i++) {
      m[i] = (float) (m[i] / samples);
    }
    return m;
  }

  /** {@code scale M + damping I}. */
  public static double[] damped(double[] m, int n, double scale, double damping) {
    double[] d = new double[m.length];
    for (int i = 0; i < m.length; i++) {
      d[i] = scale * m[i] + (i % (n + 1) == 0 ? damping : 0);
    }
    return d;
  }

  /** The largest difference by the largest magnitude expected. */
  public static double error(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
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
