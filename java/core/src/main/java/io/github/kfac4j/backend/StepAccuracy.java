package io.github.kfac4j.backend;

/**
 * How far off a step, the preconditioned gradient U, may be that was formed in fp32.
 *
 * <p>The gradient of a batch smaller than its layer lies where the factors are large. Their damped
 * inverses are largest elsewhere, so that products with it cancel, and what rounding leaves of it,
 * u |dW| (u = 2^-24) in all directions, is multiplied by what inverses do to any direction. With
 * inverses X and Y of n and m rows that is {@code |X|_F / sqrt(n) |Y|_F / sqrt(m)} in the mean, in
 * a basis {@code 1 / damping} at most. Relative to U the noise is {@code u eta}, {@code eta} being
 * |dW| so multiplied over |U|: 1 for a gradient without a direction, up to the product of both
 * condition numbers for that of a small batch. Products in fp32 were 0.5 to 6.4 u eta off with up
 * to 3137 columns.
 */
public final class StepAccuracy {
  /** The relative error of U, in the Frobenius norm, up to which a step in fp32 is good. */
  public static final double BOUND = 1e-3;

  private static final double NOISE = 10 * 0x1p-24;

  private StepAccuracy() {}

  /**
   * Whether a step may be further off than {@link #BOUND}, so that products are to be formed again
   * in fp64.
   *
   * @param multiplied |dW|, multiplied as U would be if dW had no direction
   * @param step |U| as it came out
   */
  public static boolean isLossy(double multiplied, double step) {
    return !(NOISE * multiplied <= BOUND * step);
  }
}
