package io.github.kfac4j.backend;

import java.util.function.UnaryOperator;

/**
 * How far an inverse X of {@code M = scale * source + damping I} may be off: {@code |X M - I|_2},
 * which bounds the relative error {@code |X v - M^-1 v| / |M^-1 v|} for every vector v, is at most
 * {@link #BOUND}. A backend says {@link Status#OK} of an inverse only if
 *
 * <ul>
 *   <li>{@link #certain} holds, which costs nothing but two traces: {@code 0.4 u tr(M) tr(X)} was
 *       above {@code |X M - I|_2} for every inverse by Cholesky that was measured, or
 *   <li>{@code max |X (M z) - z|_2} over {@link #VECTORS} fixed vectors z of random {@link #sign}s
 *       is at most {@link #ACCEPTED}, computed in fp64. It is not divided by {@code sqrt(n)}: the
 *       errors of inverses lie in few directions, and the mean over all would hide them.
 * </ul>
 *
 * <p>Otherwise it inverts in fp64, rounds once and tests again; what fails that too is {@link
 * Status#inaccurate} with the estimate, which was 0.3 to 4 times {@code |X M - I|_2}. In fp32 that
 * is so from condition numbers of about 3e5 on, in fp64 from about 1e14.
 */
public final class InverseAccuracy {
  /** The largest {@code |X M - I|_2} of an inverse that is called OK. */
  public static final double BOUND = 0.01;

  /** The largest estimate that is accepted: half the bound, for it may be too small. */
  public static final double ACCEPTED = BOUND / 2;

  /** How many vectors a test takes. */
  public static final int VECTORS = 4;

  private InverseAccuracy() {}

  /** The unit roundoff of the elements of a stack. */
  public static double roundoff(MatrixStack stack) {
    return stack.isDouble() ? 0x1p-53 : 0x1p-24;
  }

  /** Whether an inverse by Cholesky needs no test, with the traces of M and of X. */
  public static boolean certain(double traceM, double traceX, double roundoff) {
    return 0.4 * roundoff * traceM * traceX <= BOUND;
  }

  /** Element {@code j} of vector {@code v}: always the same, 1 or -1. */
  public static int sign(int v, int j) {
    int x = (j + 1) * 0x9E3779B1;
    x = (x ^ x >>> 15) * 0x85EBCA77;
    return ((x ^ x >>> 13) >>> v & 1) == 0 ? 1 : -1;
  }

  /** What an estimate means: {@link Status#OK} or {@link Status#inaccurate}. */
  public static Status status(double estimate) {
    return estimate <= ACCEPTED ? Status.OK : Status.inaccurate(estimate);
  }

  /**
   * The estimate itself, on the host: the largest {@code |X (M z) - z|_2}.
   *
   * @param source {@code n x n} at an offset, symmetric; likewise {@code inverse}
   */
  public static double estimate(
      double[] source, int offset, int n, double scale, double damping, double[] inverse) {
    return estimate(source, offset, n, scale, damping, inverse, z -> new double[n]);
  }

  /**
   * The estimate where M has a further part.
   *
   * @param more what the part makes of a vector
   */
  public static double estimate(
      double[] source,
      int offset,
      int n,
      double scale,
      double damping,
      double[] inverse,
      UnaryOperator<double[]> more) {
    double worst = 0;
    double[] z = new double[n];
    for (int v = 0; v < VECTORS; v++) {
      for (int i = 0; i < n; i++) {
        z[i] = sign(v, i);
      }
      double[] product = more.apply(z);
      for (int i = 0; i < n; i++) {
        product[i] += scale * dot(source, offset + i * n, z) + damping * z[i];
      }
      double sum = 0;
      for (int i = 0; i < n; i++) {
        double rest = dot(inverse, offset + i * n, product) - z[i];
        sum += rest * rest;
      }
      // NaN counts as the worst
      worst = sum <= worst ? worst : sum;
    }
    return Double.isNaN(worst) ? Double.POSITIVE_INFINITY : Math.sqrt(worst);
  }

  private static double dot(double[] matrix, int row, double[] x) {
    double sum = 0;
    for (int j = 0; j < x.length; j++) {
      sum += matrix[row + j] * x[j];
    }
    return sum;
  }
}
