package io.github.kfac4j.trainer;

/** How far a step goes along the preconditioned gradient and along the step before. */
public sealed interface Rates {
  /** The minimum of the exact quadratic model along U. */
  static Rates quadraticMinimum() {
    return new QuadraticMinimum(false);
  }

  /** The minimum of the exact quadratic model along U and the last update. */
  static Rates quadraticMinimumWithMomentum() {
    return new QuadraticMinimum(true);
  }

  /** What momentum is a memory of. */
  enum Memory {
    /** Velocity: {@code v = beta v + U}, {@code W -= alpha v}. */
    VELOCITY,
    /**
     * The last update: {@code d = beta d + alpha U}, {@code W -= d}. Differs from velocity where
     * the learning rate changes (Osawa et al. 2019 scale beta along with alpha).
     */
    UPDATE
  }

  /** Where momentum is applied. */
  enum Order {
    /** The gradient is preconditioned, then remembered; the default. */
    PRECONDITION_FIRST,
    /** The gradient is remembered, then preconditioned (tensorflow/kfac with Adam's momentum). */
    MOMENTUM_FIRST
  }

  /**
   * By schedule.
   *
   * @param learningRate alpha
   * @param momentum beta, below 1
   * @param memory what momentum is a memory of
   * @param order of preconditioning and momentum
   */
  record Scheduled(Schedule learningRate, Schedule momentum, Memory memory, Order order)
      implements Rates {
    /**
     * Checks the combination.
     *
     * @throws IllegalArgumentException if momentum comes first and is a memory of updates, which
     *     have been preconditioned already, or starts at 1 or more
     */
    public Scheduled {
      if (order == Order.MOMENTUM_FIRST && memory == Memory.UPDATE) {
        throw new IllegalArgumentException(
            "momentum before preconditioning must be a memory of gradients (VELOCITY), not of updates");
      }
      if (!(momentum.at(0) < 1)) {
        throw new IllegalArgumentException("momentum must be below 1 but is " + momentum.at(0));
      }
    }

    /** Velocity after preconditioning. */
    public Scheduled(Schedule learningRate, Schedule momentum) {
      this(learningRate, momentum, Memory.VELOCITY, Order.PRECONDITION_FIRST);
    }
  }

  /**
   * The minimum of the exact quadratic model along U, or along U and the last update (Martens and
   * Grosse 2015, sections 6.4 and 7). Asks the trainer for one Jacobian-vector product a direction.
   *
   * @param momentum whether the last update takes part
   */
  record QuadraticMinimum(boolean momentum) implements Rates {}
}
