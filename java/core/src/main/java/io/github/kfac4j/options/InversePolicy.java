package io.github.kfac4j.options;

import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerReport;

/**
 * How damped factors are inverted, and what happens when one cannot be. Every inverse is held to
 * the bound of {@link io.github.kfac4j.backend.InverseAccuracy}, and a backend that misses it in
 * fp32 inverts in fp64. After that, in this order: another method gives way to Cholesky; an inverse
 * with an estimated error between the bound and 1 is used, and the report tells the error; the
 * damping of the factor is raised; the last good inverse is kept; and when that has been so {@code
 * maxStale} times in a row, or there is no good inverse yet, {@link InversionFailedException} is
 * thrown. Every decision is in the {@link LayerReport}.
 *
 * @param method of inversion
 * @param residual the largest {@code |I - X M|_F / sqrt(n)} with which a Newton-Schulz inverse X of
 *     M is accepted
 * @param escalations how often the damping is raised, 0 for never
 * @param factor by which it is raised each time, greater than 1
 * @param maxStale how many refreshes in a row may keep an old inverse
 */
public record InversePolicy(
    Method method, double residual, int escalations, double factor, int maxStale) {
  /** How a damped factor is inverted. */
  public enum Method {
    /** Cholesky factorisation. */
    CHOLESKY,
    /** Eigendecomposition, negative eigenvalues set to zero; about ten times the cost. */
    EIGEN,
    /**
     * The iteration {@code X <- 2 X - X M X} from the last inverse, or from a multiple of the
     * identity. Products of matrices alone, which suits devices; Cholesky where it fails.
     */
    NEWTON_SCHULZ
  }

  /** Cholesky; raise twice by 10, go on for three refreshes with an old inverse. */
  public static final InversePolicy DEFAULT = new InversePolicy(Method.CHOLESKY, 1e-3, 2, 10, 3);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a count is negative, the factor is not greater than 1 or
   *     the residual is not in (0, 1)
   */
  public InversePolicy {
    if (escalations < 0 || maxStale < 0 || !(factor > 1) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          "escalations and maxStale must not be negative and factor must be greater than 1, but are %d, %d, %s"
              .formatted(escalations, maxStale, factor));
    }
    if (!(residual > 0 && residual < 1)) {
      throw new IllegalArgumentException("residual must be in (0, 1) but is " + residual);
    }
  }

  /** Cholesky, with other fallbacks. */
  public InversePolicy(int escalations, double factor, int maxStale) {
    this(Method.CHOLESKY, 1e-3, escalations, factor, maxStale);
  }

  /** Another method. */
  public InversePolicy withMethod(Method value) {
    return new InversePolicy(value, residual, escalations, factor, maxStale);
  }
}
