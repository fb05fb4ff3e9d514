package io.github.kfac4j.nqm;

/**
 * The risk of SGD at the end of a schedule, and its gradient by the adjoint method.
 *
 * <p>Over a piece of k steps at rate alpha, with x = alpha h^(1-p) and b = (1 - x)^2, the second
 * moment goes to s + b^k (A - s), where s is the steady state. Hence, and this is what is chained
 * backwards,
 *
 * <pre>
 *   dA'/dA     = b^k
 *   dA'/dalpha = (1 - b^k) ds/dalpha + (A - s) k b^(k-1) (-2 (1 - x) h^(1-p)).
 * </pre>
 */
public final class ScheduleRisk {
  private final NoisyQuadratic model;

  /** Schedules on this model. */
  public ScheduleRisk(NoisyQuadratic model) {
    this.model = model;
  }

  /**
   * The risk after the last step.
   *
   * @throws IllegalArgumentException if a rate is unstable
   */
  public double risk(LearningRateSchedule schedule) {
    requireStable(schedule);
    return evaluate(schedule.learningRates(), schedule.stepsPerPiece(), null);
  }

  /**
   * The derivative of the logarithm of the risk by the logarithm of each rate.
   *
   * @return one entry per piece, owned by the caller
   * @throws IllegalArgumentException if a rate is unstable
   */
  double[] logGradient(LearningRateSchedule schedule) {
    requireStable(schedule);
    double[] gradient = new double[schedule.learningRates().length];
    evaluate(schedule.learningRates(), schedule.stepsPerPiece(), gradient);
    return gradient;
  }

  private void requireStable(LearningRateSchedule schedule) {
    for (double rate : schedule.learningRates()) {
      if (!model.isStable(Algorithm.sgd(rate))) {
        throw new IllegalArgumentException(
            "learning rate "
                + rate
                + " is unstable: it must be below "
                + model.stabilityLimit(Method.SGD, 0));
      }
    }
  }

  /** The risk; where a gradient is given, d log risk / d log alpha goes there. */
  double evaluate(double[] rates, long steps, double[] gradient) {
    int pieces = rates.length;
    double[] start = new double[pieces];
    double[] power = new double[pieces];
    double[] byRate = gradient == null ? null : new double[pieces];
    double risk = 0;
    for (int i = 0; i < model.spectrum().size(); i++) {
      double curvature = model.curvature(i);
      double noise = model.noise(i) / curvature;
      double moment = model.spectrum().initialVariance();
      for (int j = 0; j < pieces; j++) {
        double x = rates[j] * curvature;
        start[j] = moment;
        power[j] = Math.exp(2 * steps * OneRoot.logDistance(x));
        double steady = noise * rates[j] / (2 - x);
        moment = steady + power[j] * (moment - steady);
      }
      risk += model.weight(i) * moment;
      if (byRate != null) {
        accumulate(rates, steps, i, start, power, byRate);
      }
    }
    for (int j = 0; gradient != null && j < pieces; j++) {
      gradient[j] = byRate[j] * rates[j] / risk;
    }
    return risk;
  }

  private void accumulate(
      double[] rates, long steps, int i, double[] start, double[] power, double[] byRate) {
    double curvature = model.curvature(i);
    double noise = model.noise(i) / curvature;
    double adjoint = model.weight(i);
    for (int j = rates.length - 1; j >= 0; j--) {
      double x = rates[j] * curvature;
      double steady = noise * rates[j] / (2 - x);
      double steadySlope = 2 * noise / ((2 - x) * (2 - x));
      // b^k / (1 - x), where x = 1 annihilates the coordinate
      double ratio = x == 1 ? 0 : power[j] / (1 - x);
      double powerSlope = -2.0 * steps * curvature * ratio;
      byRate[j] += adjoint * ((1 - power[j]) * steadySlope + (start[j] - steady) * powerSlope);
      adjoint *= power[j];
    }
  }
}
