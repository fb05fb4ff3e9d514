package io.github.kfac4j.experiments.options;

import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.trainer.Rates.Memory;

/**
 * What {@code --kfac} says, by value; null where it says nothing.
 *
 * @param factors what they are made of
 * @param refreshes when factors and inverses are renewed
 * @param inverses how they are made and bounded
 * @param damping rules that change it from step to step
 * @param rule how preconditioned gradients become steps
 * @param sharing by several ranks
 */
public record KfacArguments(
    Factors factors,
    Refreshes refreshes,
    Inverses inverses,
    Damping damping,
    Rule rule,
    Sharing sharing) {

  /**
   * What factors are made of.
   *
   * @param fisher whose output gradients
   * @param convention of scaling
   * @param flattened the approximation of fully connected layers behind a feature map
   * @param decay of their averages
   * @param examples of each batch
   * @param microBatches of a step
   */
  record Factors(
      FisherName fisher,
      Convention convention,
      Approximation flattened,
      Double decay,
      Integer examples,
      Integer microBatches) {}

  /** The output gradients that factors are made of. */
  enum FisherName {
    /** Gradients for the training labels. */
    EMPIRICAL,
    /** Gradients for labels drawn from the network's distribution. */
    MC,
    /** Gradients for all labels, weighted by their probability. */
    EXACT,
    /** Curvature propagation. */
    CURVATURE_PROP
  }

  /**
   * When factors and inverses are renewed.
   *
   * @param intervals in steps
   * @param stale the similarity that adaptive intervals look for
   * @param burnIn steps before the first inverses
   */
  record Refreshes(Intervals intervals, Double stale, Integer burnIn) {}

  /**
   * How inverses are made.
   *
   * @param dampingMode of K-FAC
   * @param method of inversion
   * @param klClip the bound on the step
   */
  record Inverses(DampingMode dampingMode, InversePolicy.Method method, Double klClip) {}

  /**
   * Rules for the damping.
   *
   * @param warmUp a schedule from another damping
   * @param lm steps between adaptations by Levenberg-Marquardt
   * @param lmBounds of that
   * @param gamma steps between adaptations of the factors' damping
   */
  record Damping(WarmUp warmUp, Integer lm, Bounds lmBounds, Integer gamma) {}

  /** A damping to start from, and steps to the usual one. */
  record WarmUp(double from, long steps) {}

  /** The least and the largest damping. */
  record Bounds(double min, double max) {}

  /**
   * How preconditioned gradients become steps.
   *
   * @param momentumFirst whether momentum comes before preconditioning
   * @param memory what momentum is made of
   * @param quadratic whether the exact quadratic model finds the rates
   * @param rescale whether weights are kept to a norm
   */
  record Rule(Boolean momentumFirst, Memory memory, Quadratic quadratic, Boolean rescale) {
    boolean putsMomentumFirst() {
      return Boolean.TRUE.equals(momentumFirst);
    }

    boolean rescales() {
      return Boolean.TRUE.equals(rescale);
    }
  }

  /** What the exact quadratic model finds. */
  enum Quadratic {
    /** Learning rate and momentum. */
    TRUE,
    /** The learning rate; there is no momentum. */
    RATE,
    /** Nothing. */
    FALSE
  }
}
