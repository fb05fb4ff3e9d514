package io.github.kfac4j.backend;

import java.util.function.UnaryOperator;

/**
 * How far an inverse X of {@code M = scale * source + damping I} may be off: {@code |E|_2} with
 * {@code E = X M - I}, which bounds the relative error {@code |X v - M^-1 v| / |M^-1 v|} for every
 * vector v, is at most {@link #BOUND}. A backend says {@link Status#OK} of an inverse only if
 *
 * <ul>
 *   <li>{@link #certain} holds, which costs nothing but two traces: {@code |E|_2} was at most 11 u
 *       times the condition number, and below {@code 0.4 u tr(M) tr(X)}, for every inverse by
 *       Cholesky that was measured; or
 *   <li>{@code max |E z|_2} over {@link #VECTORS} fixed vectors z of random {@link #sign}s is at
 *       most {@link #ACCEPTED}, computed in fp64. It is not divided by {@code sqrt(n)}: the errors
 *       of inverses lie in few directions, and the mean over all would hide them; or
 *   <li>some steps of the power method from there, which come near {@code |E|_2} from below, where
 *       random vectors may be four times above it, stay within 0.8 of the bound.
 * </ul>
 *
 * <p>What fails in fp32 is inverted in fp64, rounded once and tested again; what fails that too is
 * {@link Status#inaccurate} with the estimate. Rounding an exact inverse to fp32 costs 0.35 to 0.6
 * times the condition number times 2^-24, so that is from condition numbers of about 3e5 on.
 */
public final class InverseAccuracy {
  /** The largest {@code |X M - I|_2} of an inverse that is called OK. */
  public static final double BOUND = 0.01;

  /** The largest {@code |E z|_2} that is accepted: half the bound, for it may be too small. */
  public static final double ACCEPTED = BOUND / 2;

  /** How many vectors a test takes. */
  public static final int VECTORS = 4;

  private static final int POWERS = 6;

  private InverseAccuracy() {}

  /** The unit roundoff of the elements of a stack. */
  public static double roundoff(MatrixStack stack) {
    return stack.isDouble() ? 0x1p-53 : 0x1p-24;
  }

  /**
   * Whether an inverse by Cholesky needs no test.
   *
   * @param trace of the scaled source, n x n and positive semidefinite but for rounding
   * @param traceX of the inverse
   */
  public static boolean certain(
      int n, double trace, double damping, double traceX, double roundoff) {
    return 16 * roundoff * (trace / damping + 1) <= BOUND
        || 0.4 * roundoff * (trace + n * damping) * traceX <= BOUND;
  }

  /** Element {@code j} of vector {@code v}: always the same, 1 or -1. */
  public static int sign(int v, int j) {
    int x = (j + 1) * 0x9E3779B1;
    x = (x ^ x >>> 15) * 0x85EBCA77;
    return ((x ^ x >>> 13) >>> v & 1) == 0 ? 1 : -1;
  }

  /**
   * The whole test, in fp64 on the host.
   *
   * @param source {@code n x n} at an offset, symmetric; likewise {@code inverse}
   */
  public static Status test(
      double[] source, int offset, int n, double scale, double damping, double[] inverse) {
    return test(source, offset, n, scale, damping, inverse, z -> new double[n]);
  }

  /**
   * The test where M has a further part.
   *
   * @param more what the part, symmetric too, makes of a vector
   */
  public static Status test(
      double[] source,
      int offset,
      int n,
      double scale,
      double damping,
      double[] inverse,
      UnaryOperator<double[]> more) {
    UnaryOperator<double[]> m =
        z -> {
          double[] product = more.apply(z);
          for (int i = 0; i < n; i++) {
            product[i] += scale * dot(source, offset + i * n, z) + damping * z[i];
          }
          return product;
        };
    UnaryOperator<double[]> x =
        z -> {
          double[] product = new double[n];
          for (int i = 0; i < n; i++) {
            product[i] = dot(inverse, offset + i * n, z);
          }
          return product;
        };
    double[][] rests = new double[VECTORS][n];
    double worst = 0;
    for (int v = 0; v < VECTORS; v++) {
      for (int i = 0; i < n; i++) {
        rests[v][i] = sign(v, i);
      }
      rests[v] = rest(m, x, rests[v]);
      worst = Math.max(worst, norm(rests[v])); // NaN stays
    }
    if (worst <= ACCEPTED) {
      return Status.OK;
    }
    double estimate = 0;
    for (double[] rest : rests) {
      estimate = Math.max(estimate, power(m, x, rest));
    }
    return estimate <= 0.8 * BOUND
        ? Status.OK
        : Status.inaccurate(Double.isNaN(estimate) ? Double.POSITIVE_INFINITY : estimate);
  }

  /** Steps of the power method with E and its transpose in turn. */
  private static double power(
      UnaryOperator<double[]> m, UnaryOperator<double[]> x, double[] start) {
    double[] y = start;
    double norm = 0;
    for (int step = 0; step < POWERS; step++) {
      double length = norm(y);
      if (length == 0) {
        return 0;
      }
      for (int i = 0; i < y.length; i++) {
        y[i] /= length;
      }
      y = step % 2 == 0 ? rest(x, m, y) : rest(m, x, y);
      norm = norm(y);
    }
    return norm;
  }

  /** {@code B A z - z}. */
  private static double[] rest(UnaryOperator<double[]> a, UnaryOperator<double[]> b, double[] z) {
    double[] rest = b.apply(a.apply(z));
    for (int i = 0; i < z.length; i++) {
      rest[i] -= z[i];
    }
    return rest;
  }

  private static double norm(double[] x) {
    return Math.sqrt(dot(x, 0, x));
  }

  private static double dot(double[] matrix, int row, double[] x) {
    double sum = 0;
    for (int j = 0; j < x.length; j++) {
      sum += matrix[row + j] * x[j];
    }
    return sum;
  }
}
