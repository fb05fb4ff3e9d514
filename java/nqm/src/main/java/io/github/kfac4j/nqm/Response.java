package io.github.kfac4j.nqm;

/**
 * How one coordinate responds after t steps: its deterministic decay f_t and its noise gain S_t.
 *
 * <p>All three methods are second-order linear filters with roots a and b. With g_k = (a^k - b^k) /
 * (a - b), the second moment of the coordinate after t steps is
 *
 * <pre>
 *   A_t = f_t^2 A_0 + n S_t,   f_t = g_{t+1} - a b g_t,   S_t = sum over k = 1..t of g_k^2.
 * </pre>
 *
 * <p>The sum is not taken from its textbook form, which divides a difference by (a - b)^2 and loses
 * every digit where the roots meet. It comes from the discrete Lyapunov equation as S_t = S_inf (1
 * - Q_t), where Q_t is a sum of non-negative terms; see the implementations.
 */
sealed interface Response permits OneRoot, RealRoots, ComplexRoots {

  /** Below this share of S_inf the difference 1 - Q_t has lost too many digits. */
  double CANCELLED = 1e-4;

  /** Below this value of t |a - b| the divided difference has lost too many digits. */
  double COINCIDENT = 0.03;

  /** 1 - |a|, where a is the larger root. */
  double convergenceRate();

  /**
   * @param steps t, at least 1
   * @return f_t
   */
  double decay(long steps);

  /**
   * @param steps t, at least 1
   * @return S_t
   */
  double noiseGain(long steps);

  /**
   * S_t by repeated squaring of the filter's transition, for roots that nearly coincide near 1.
   *
   * <p>The state is (g_{k+1} - g_k, g_k), in which the transition has no cancelling entries.
   *
   * @param x (1 - a)(1 - b)
   * @param product a b
   */
  static double noiseGainBySquaring(double x, double product, long steps) {
    // transition m of the block and p, with z' p z = the block's sum of g^2 from the state z on
    double m00 = product - x;
    double m01 = -x;
    double m10 = 1;
    double m11 = 1;
    double p00 = 1;
    double p01 = 1;
    double p11 = 1;
    double d = 1;
    double g = 0;
    double sum = 0;
    for (long left = steps; left > 0; left >>= 1) {
      if ((left & 1) == 1) {
        sum += p00 * d * d + 2 * p01 * d * g + p11 * g * g;
        double next = m00 * d + m01 * g;
        g = m10 * d + m11 * g;
        d = next;
      }
      double q00 = p00 * m00 + p01 * m10;
      double q01 = p00 * m01 + p01 * m11;
      double q10 = p01 * m00 + p11 * m10;
      double q11 = p01 * m01 + p11 * m11;
      p00 += m00 * q00 + m10 * q10;
      p01 += m00 * q01 + m10 * q11;
      p11 += m01 * q01 + m11 * q11;
      double s00 = m00 * m00 + m01 * m10;
      double s01 = m00 * m01 + m01 * m11;
      double s10 = m10 * m00 + m11 * m10;
      m11 = m10 * m01 + m11 * m11;
      m00 = s00;
      m01 = s01;
      m10 = s10;
    }
    return sum;
  }
}
