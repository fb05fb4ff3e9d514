package io.github.kfac4j.nqm;

/**
 * Two real roots, |a| >= |b|, each in (-1, 1) and not zero.
 *
 * <p>With v = g_t and w = b^t: f_t = a (1 - b) v + w and
 *
 * <pre>
 *   Q_t = w^2 + 2 a (1 - b^2) / (1 + a b) v w + a^2 (1 - b^2) (1 - a b) / (1 + a b) v^2,
 * </pre>
 *
 * where for roots of one sign nothing cancels. The distances of the magnitudes from 1 are kept
 * apart, because a root near 1 does not carry them.
 */
final class RealRoots implements Response {
  private final double a;
  private final double b;
  private final double difference;
  private final double logA;
  private final double logB;
  private final double oneMinusB;
  private final double oneMinusASquared;
  private final double oneMinusBSquared;
  private final double oneMinusProduct;
  private final double onePlusProduct;
  private final double x;
  private final double steadyGain;

  private RealRoots(boolean aNegative, double gapA, boolean bNegative, double gapB, double gap) {
    double magnitudeA = 1 - gapA;
    double magnitudeB = 1 - gapB;
    double distance = gapA + magnitudeA * gapB; // 1 - |a b|
    boolean oneSign = aNegative == bNegative;
    a = aNegative ? -magnitudeA : magnitudeA;
    b = bNegative ? -magnitudeB : magnitudeB;
    difference = gap;
    logA = Math.log1p(-gapA);
    logB = Math.log1p(-gapB);
    oneMinusB = bNegative ? 1 + magnitudeB : gapB;
    oneMinusASquared = gapA * (1 + magnitudeA);
    oneMinusBSquared = gapB * (1 + magnitudeB);
    oneMinusProduct = oneSign ? distance : 1 + magnitudeA * magnitudeB;
    onePlusProduct = oneSign ? 1 + magnitudeA * magnitudeB : distance;
    x = gapA * gapB;
    steadyGain = onePlusProduct / (oneMinusProduct * oneMinusASquared * oneMinusBSquared);
  }

  /**
   * Roots of one sign.
   *
   * @param negative whether both are negative
   * @param gapA 1 - |a|
   * @param gapB 1 - |b|, at least gapA
   * @param gap |a| - |b|
   */
  static RealRoots oneSign(boolean negative, double gapA, double gapB, double gap) {
    return new RealRoots(negative, gapA, negative, gapB, negative ? -gap : gap);
  }

  /** Roots of opposite signs. */
  static RealRoots opposite(double positiveGap, double negativeGap) {
    double gap = 2 - positiveGap - negativeGap;
    return positiveGap <= negativeGap
        ? new RealRoots(false, positiveGap, true, negativeGap, gap)
        : new RealRoots(true, negativeGap, false, positiveGap, -gap);
  }

  private static double power(double root, double log, long exponent) {
    double magnitude = Math.exp(exponent * log);
    return root < 0 && (exponent & 1) == 1 ? -magnitude : magnitude;
  }

  private double g(long k) {
    if (a * b < 0) {
      return (power(a, logA, k) - power(b, logB, k)) / difference;
    }
    double spread = logB - logA;
    double ratio = spread == 0 ? k : Math.expm1(k * spread) / Math.expm1(spread);
    return power(a, logA, k - 1) * ratio;
  }

  @Override
  public double convergenceRate() {
    return 1 - Math.abs(a);
  }

  @Override
  public double decay(long steps) {
    return a * oneMinusB * g(steps) + power(b, logB, steps);
  }

  @Override
  public double noiseGain(long steps) {
    double v = g(steps);
    double w = power(b, logB, steps);
    double q =
        w * w + a * oneMinusBSquared * v * (2 * w + a * oneMinusProduct * v) / onePlusProduct;
    double share = 1 - q;
    if (share >= CANCELLED) {
      return share * steadyGain;
    }
    return steps * Math.abs(difference) > COINCIDENT
        ? dividedDifference(steps)
        : Response.noiseGainBySquaring(x, a * b, steps);
  }

  /** The textbook form, exact enough while the roots are apart on the scale of 1/t. */
  private double dividedDifference(long steps) {
    double ofA = geometricSum(a * a, 2 * logA, oneMinusASquared, steps);
    double ofB = geometricSum(b * b, 2 * logB, oneMinusBSquared, steps);
    double ofProduct = geometricSum(a * b, logA + logB, oneMinusProduct, steps);
    return (ofA + ofB - 2 * ofProduct) / (difference * difference);
  }

  /** y + y^2 + ... + y^t from y, log |y| and 1 - y. */
  private static double geometricSum(double y, double log, double oneMinusY, long steps) {
    double tail = y < 0 && (steps & 1) == 1 ? 1 + Math.exp(steps * log) : -Math.expm1(steps * log);
    return y * tail / oneMinusY;
  }
}
