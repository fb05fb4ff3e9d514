package io.github.kfac4j.backend;

/**
 * What came of the renewal of one basis.
 *
 * @param accepted whether the basis is new; else it is as it was. All of a request or none are
 * @param share of the squares of Q'A Q that is not known to lie on its diagonal: {@code 1 - (sum of
 *     d^2) / |A|^2} with the Ritz values d of the leading vectors, in the Frobenius norm; NaN if A
 *     is not finite
 * @param values d, in the order of the columns; null unless accepted
 * @param rotation {@code [leading, leading]}, element (i, j) the inner product of previous leading
 *     vector i with new leading vector j, in the order of the columns and up to signs; null unless
 *     accepted, and where there were none before
 */
public record Renewal(boolean accepted, double share, double[] values, double[] rotation) {
  /** The share of the mean eigenvalue that is added to all, so that null vectors stay. */
  public static final double SHIFT = 1e-3;

  /** A renewal that was not accepted. */
  public static Renewal refused(double share) {
    return new Renewal(false, share, null, null);
  }

  /** By the squares of A and of the Ritz values. */
  public static double share(double all, double leading) {
    return all > 0 ? Math.max(0, 1 - leading / all) : 0;
  }
}
