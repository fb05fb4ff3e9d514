package io.github.kfac4j;

import java.util.OptionalDouble;

/**
 * Settings of K-FAC, immutable. Start from {@link #DEFAULT} and change what is needed:
 *
 * <pre>{@code KfacOptions.DEFAULT.withDamping(1e-2).withKlClip(1e-3, learningRate)}</pre>
 *
 * @param damping Tikhonov damping lambda, positive
 * @param dampingMode how damping enters the inverse
 * @param convention scaling constants
 * @param approximation what the Fisher block is approximated by
 * @param decay of the running averages of the factors, in [0, 1); 0 means the last batch alone
 * @param klClip bound on the squared step length in the Fisher metric (Ba et al. 2017, section 5);
 *     empty for none
 * @param learningRate of the trainer's update rule, which the clip depends on
 * @param factorInterval steps between updates of the factors
 * @param inverseInterval steps between updates of the inverses
 * @param inversePolicy what to do when an inversion fails
 */
public record KfacOptions(
    double damping,
    DampingMode dampingMode,
    Convention convention,
    Approximation approximation,
    double decay,
    OptionalDouble klClip,
    double learningRate,
    int factorInterval,
    int inverseInterval,
    InversePolicy inversePolicy) {

  /**
   * Damping 1e-3 factored, convention KFC, Kronecker, decay 0.95, no KL clip, factors and inverses
   * every 10 steps.
   */
  public static final KfacOptions DEFAULT =
      new KfacOptions(
          1e-3,
          DampingMode.FACTORED,
          Convention.KFC,
          Approximation.KRONECKER,
          0.95,
          OptionalDouble.empty(),
          1.0,
          10,
          10,
          InversePolicy.DEFAULT);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the first setting that is out of range, and its value
   */
  public KfacOptions {
    require(damping > 0 && Double.isFinite(damping), "damping", damping, "positive");
    require(decay >= 0 && decay < 1, "decay", decay, "in [0, 1)");
    require(
        learningRate > 0 && Double.isFinite(learningRate),
        "learning rate",
        learningRate,
        "positive");
    if (klClip.isPresent()) {
      double clip = klClip.getAsDouble();
      require(clip > 0 && Double.isFinite(clip), "KL clip", clip, "positive");
    }
    require(factorInterval > 0, "factor interval", factorInterval, "positive");
    require(inverseInterval > 0, "inverse interval", inverseInterval, "positive");
    require(
        approximation == Approximation.KRONECKER || dampingMode == DampingMode.EXACT,
        "damping mode",
        dampingMode,
        "EXACT for the approximation " + approximation + ", which has no factors to damp");
    require(
        approximation == Approximation.KRONECKER || convention != Convention.KFAC_PYTORCH,
        "convention",
        convention.id(),
        "another one for the approximation "
            + approximation
            + ", which kfac-pytorch does not have");
  }

  /** Other damping. */
  public KfacOptions withDamping(double value) {
    return new KfacOptions(
        value,
        dampingMode,
        convention,
        approximation,
        decay,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Other damping mode. */
  public KfacOptions withDampingMode(DampingMode value) {
    return new KfacOptions(
        damping,
        value,
        convention,
        approximation,
        decay,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Another convention. */
  public KfacOptions withConvention(Convention value) {
    return new KfacOptions(
        damping,
        dampingMode,
        value,
        approximation,
        decay,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Another approximation; all but {@link Approximation#KRONECKER} are damped exactly. */
  public KfacOptions withApproximation(Approximation value) {
    return new KfacOptions(
        damping,
        value == Approximation.KRONECKER ? dampingMode : DampingMode.EXACT,
        convention,
        value,
        decay,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Another decay of the running averages. */
  public KfacOptions withDecay(double value) {
    return new KfacOptions(
        damping,
        dampingMode,
        convention,
        approximation,
        value,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Clips the step by {@code clip} at the trainer's learning rate. */
  public KfacOptions withKlClip(double clip, double learningRate) {
    return new KfacOptions(
        damping,
        dampingMode,
        convention,
        approximation,
        decay,
        OptionalDouble.of(clip),
        learningRate,
        factorInterval,
        inverseInterval,
        inversePolicy);
  }

  /** Other intervals, in steps. */
  public KfacOptions withIntervals(int factors, int inverses) {
    return new KfacOptions(
        damping,
        dampingMode,
        convention,
        approximation,
        decay,
        klClip,
        learningRate,
        factors,
        inverses,
        inversePolicy);
  }

  /** Another policy for inversions that fail. */
  public KfacOptions withInversePolicy(InversePolicy value) {
    return new KfacOptions(
        damping,
        dampingMode,
        convention,
        approximation,
        decay,
        klClip,
        learningRate,
        factorInterval,
        inverseInterval,
        value);
  }

  private static void require(boolean ok, String setting, Object value, String rule) {
    if (!ok) {
      throw new IllegalArgumentException(setting + " must be " + rule + " but is " + value);
    }
  }
}
