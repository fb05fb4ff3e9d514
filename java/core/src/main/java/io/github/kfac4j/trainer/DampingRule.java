package io.github.kfac4j.trainer;

/**
 * How the damping lambda changes from step to step. Weight decay of the kind L2 is added to what a
 * rule gives.
 */
public sealed interface DampingRule {
  /** The damping of the first step. */
  double initial();

  /** By schedule, for example {@link Schedule#warmUp}. */
  record Scheduled(Schedule schedule) implements DampingRule {
    /**
     * Checks the first value.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Scheduled {
      if (!(schedule.at(0) > 0)) {
        throw new IllegalArgumentException("damping must be positive but is " + schedule.at(0));
      }
    }

    @Override
    public double initial() {
      return schedule.at(0);
    }
  }

  /** Always the same. */
  static DampingRule constant(double damping) {
    return new Scheduled(Schedule.constant(damping));
  }

  /**
   * Levenberg-Marquardt (Martens and Grosse 2015, sections 6.5 and 6.6). Every {@code interval}
   * steps the change of the loss is compared with what the quadratic model predicted: with {@code
   * rho} their ratio, damping falls by {@code omega^interval} where rho is above 3/4 and rises by
   * as much where it is below 1/4 or the loss is not finite.
   *
   * @param initial first damping
   * @param interval T1, steps
   * @param omega in (0, 1)
   * @param min lower bound of the damping, positive
   * @param max upper bound
   * @param gammaInterval T2, steps, or 0: if positive, the factors have a damping gamma^2 of their
   *     own, which starts at lambda and every T2 steps becomes the best out of gamma, {@code gamma
   *     omega^(T2/2)} and {@code gamma / omega^(T2/2)} by the quadratic model. Costs four refreshes
   *     and three Jacobian-vector products.
   */
  record LevenbergMarquardt(
      double initial, int interval, double omega, double min, double max, int gammaInterval)
      implements DampingRule {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming what is out of range
     */
    public LevenbergMarquardt {
      require(min > 0 && max >= min && Double.isFinite(max), "0 < min <= max", min + ", " + max);
      require(initial >= min && initial <= max, "initial within its bounds", initial);
      require(interval > 0, "a positive interval", interval);
      require(omega > 0 && omega < 1, "omega in (0, 1)", omega);
      require(gammaInterval >= 0, "an interval of gamma that is not negative", gammaInterval);
    }

    /** T1 = 5, omega = 0.95, bounds 1e-8 and 1e8, no gamma. */
    public LevenbergMarquardt(double initial) {
      this(initial, 5, 0.95, 1e-8, 1e8, 0);
    }

    private static void require(boolean ok, String what, Object value) {
      if (!ok) {
        throw new IllegalArgumentException(
            "Levenberg-Marquardt damping needs " + what + " but has " + value);
      }
    }

    /**
     * The ratio of the change of the loss to the predicted one; 1 if the model predicted an
     * increase and the loss fell, minus infinity if the loss is not finite or did not fall then,
     * 1/2 if nothing moved.
     */
    static double ratio(double change, double predicted) {
      if (!Double.isFinite(change)) {
        return Double.NEGATIVE_INFINITY;
      }
      if (predicted == 0 && change == 0) {
        return 0.5;
      }
      if (predicted < 0) {
        return change / predicted;
      }
      return change < 0 ? 1 : Double.NEGATIVE_INFINITY;
    }

    /** The damping after a ratio. */
    double next(double damping, double ratio) {
      double factor = Math.pow(omega, interval);
      double next = damping;
      if (ratio > 0.75) {
        next = damping * factor;
      } else if (ratio < 0.25) {
        next = damping / factor;
      }
      return Math.min(max, Math.max(min, next));
    }

    /** Candidates for gamma, the old one first. */
    double[] gammas(double gamma, double l2) {
      double factor = Math.pow(omega, 0.5 * gammaInterval);
      double lower = Math.sqrt(min + l2);
      double upper = Math.sqrt(max + l2);
      return new double[] {gamma, Math.max(lower, gamma * factor), Math.min(upper, gamma / factor)};
    }
  }
}
