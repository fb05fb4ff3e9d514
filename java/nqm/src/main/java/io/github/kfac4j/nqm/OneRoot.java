package io.github.kfac4j.nqm;

/** SGD: f_t = a^t and S_t = (1 - a^2t) / (1 - a^2) with a = 1 - x. */
record OneRoot(double a, double logMagnitude, double steadyGain) implements Response {

  static OneRoot of(double x) {
    return new OneRoot(1 - x, logDistance(x), 1 / (x * (2 - x)));
  }

  /** log |1 - x| through the distance from 1, which x states exactly. */
  static double logDistance(double x) {
    return Math.log1p(-Math.min(x, 2 - x));
  }

  @Override
  public double convergenceRate() {
    return 1 - Math.abs(a);
  }

  @Override
  public double decay(long steps) {
    double magnitude = Math.exp(steps * logMagnitude);
    return a < 0 && (steps & 1) == 1 ? -magnitude : magnitude;
  }

  @Override
  public double noiseGain(long steps) {
    return -Math.expm1(2 * steps * logMagnitude) * steadyGain;
  }
}
