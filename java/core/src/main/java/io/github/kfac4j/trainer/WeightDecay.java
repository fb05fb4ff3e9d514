package io.github.kfac4j.trainer;

/**
 * Weight decay.
 *
 * @param mode how it enters the step
 * @param coefficient not negative
 */
public record WeightDecay(Mode mode, double coefficient) {
  /** Ways to decay. */
  public enum Mode {
    /** A term {@code eta |W|^2 / 2} of the loss: in the gradient and in the damping. */
    L2,
    /** {@code W -= alpha wd W}, untouched by preconditioning (Loshchilov and Hutter 2019). */
    DECOUPLED
  }

  /** No decay. */
  public static final WeightDecay NONE = new WeightDecay(Mode.DECOUPLED, 0);

  /**
   * Checks the coefficient.
   *
   * @throws IllegalArgumentException if it is negative or not finite
   */
  public WeightDecay {
    if (!(coefficient >= 0) || Double.isInfinite(coefficient)) {
      throw new IllegalArgumentException("weight decay must not be negative but is " + coefficient);
    }
  }

  /** The coefficient of the L2 term. */
  public double l2() {
    return mode == Mode.L2 ? coefficient : 0;
  }

  /** The coefficient of the decoupled decay. */
  public double decoupled() {
    return mode == Mode.DECOUPLED ? coefficient : 0;
  }
}
