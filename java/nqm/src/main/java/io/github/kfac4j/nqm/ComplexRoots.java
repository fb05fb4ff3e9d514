package io.github.kfac4j.nqm;

/**
 * A conjugate pair rho exp(+-i omega), rho^2 = beta: momentum between its two critical dampings.
 *
 * <p>With s = sin(t omega) / sin(omega) and c = cos(t omega):
 *
 * <pre>
 *   f_t = rho^t (c + (cos(omega) - rho) s)
 *   Q_t = rho^2t (c^2 + 2 cos(omega) (1 - beta) / (1 + beta) s c
 *                 + ((1 - beta)^2 + sin(omega)^2 (3 beta - 1)) / (1 + beta) s^2).
 * </pre>
 *
 * <p>An angle beyond a right angle is taken from pi instead: g_k then only changes sign at every
 * other k, and its angle keeps all its digits.
 */
final class ComplexRoots implements Response {
  private final double beta;
  private final double oneMinusBeta;
  private final boolean beyondRightAngle;
  private final double omega;
  private final double sine;
  private final double cosine;
  private final double decayFactor;
  private final double logBeta;
  private final double x;
  private final double steadyGain;

  /**
   * @param x the rate times the curvature
   * @param mirrored 2 (1 + beta) - x
   * @param lower (1 - rho)^2, below both
   */
  ComplexRoots(double x, double mirrored, double beta, double lower) {
    double near = Math.min(x, mirrored) - lower;
    double far = Math.max(x, mirrored) - lower;
    this.beta = beta;
    this.oneMinusBeta = 1 - beta;
    this.beyondRightAngle = mirrored < x;
    this.omega = 2 * Math.atan2(Math.sqrt(near), Math.sqrt(far));
    this.sine = 2 * Math.sqrt(near) * Math.sqrt(far) / (near + far);
    this.cosine = (far - near) / (near + far);
    double excess = beyondRightAngle ? x - oneMinusBeta : oneMinusBeta - x;
    this.decayFactor = excess / (2 * Math.sqrt(beta));
    this.logBeta = Math.log1p(-oneMinusBeta);
    this.x = beyondRightAngle ? mirrored : x;
    this.steadyGain = (1 + beta) / (oneMinusBeta * x * mirrored);
  }

  @Override
  public double convergenceRate() {
    return 1 - Math.sqrt(beta);
  }

  @Override
  public double decay(long steps) {
    double s = Math.sin(steps * omega) / sine;
    double c = Math.cos(steps * omega);
    double magnitude = Math.exp(0.5 * steps * logBeta) * (c + decayFactor * s);
    return beyondRightAngle && (steps & 1) == 1 ? -magnitude : magnitude;
  }

  @Override
  public double noiseGain(long steps) {
    double s = Math.sin(steps * omega) / sine;
    double c = Math.cos(steps * omega);
    double curvature = oneMinusBeta * oneMinusBeta + sine * sine * (3 * beta - 1);
    double q = c * c + s * (2 * cosine * oneMinusBeta * c + curvature * s) / (1 + beta);
    double share = 1 - Math.exp(steps * logBeta) * q;
    if (share >= CANCELLED) {
      return share * steadyGain;
    }
    return steps * sine > COINCIDENT
        ? dividedDifference(steps)
        : Response.noiseGainBySquaring(x, beta, steps);
  }

  /**
   * (F(beta) - Re F(beta e^(2 i omega))) / (2 beta sin(omega)^2) with F(y) = y (1 - y^t) / (1 - y).
   */
  private double dividedDifference(long steps) {
    double tailOfBeta = -Math.expm1(steps * logBeta);
    double power = Math.exp(steps * logBeta);
    double sineOfT = Math.sin(steps * omega);
    double tailReal = tailOfBeta + 2 * power * sineOfT * sineOfT;
    double tailImaginary = -2 * power * sineOfT * Math.cos(steps * omega);
    double gapReal = oneMinusBeta + 2 * beta * sine * sine;
    double gapImaginary = -2 * beta * sine * cosine;
    double norm = gapReal * gapReal + gapImaginary * gapImaginary;
    double ratioReal = (tailReal * gapReal + tailImaginary * gapImaginary) / norm;
    double ratioImaginary = (tailImaginary * gapReal - tailReal * gapImaginary) / norm;
    double cosineOfTwo = cosine * cosine - sine * sine;
    double ofPair = cosineOfTwo * ratioReal - 2 * sine * cosine * ratioImaginary;
    return (tailOfBeta / oneMinusBeta - ofPair) / (2 * sine * sine);
  }
}
