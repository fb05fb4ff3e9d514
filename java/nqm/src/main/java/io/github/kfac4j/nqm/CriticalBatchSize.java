package io.github.kfac4j.nqm;

import java.util.Optional;

/** Up to which batch size larger batches still pay. */
public final class CriticalBatchSize {
  /** Precision of the answer, in powers of two. */
  private static final double OCTAVES = 0.05;

  private CriticalBatchSize() {}

  /**
   * The batch size at which a tuned run needs twice as many examples (steps times batch size) as it
   * does with very small batches, to a twentieth of an octave.
   *
   * @param power p of the preconditioner H^-p, in [0, 1]
   * @param target risk to reach, positive and below the risk of the start
   * @throws IllegalArgumentException if the target cannot be reached or is reached at the start, or
   *     if there is no gradient noise
   */
  public static double predict(Spectrum spectrum, Method method, double power, double target) {
    if (new NoisyQuadratic(spectrum, power, 1).initialRisk() <= target) {
      throw new IllegalArgumentException(
          "the target risk " + target + " is reached before the first step");
    }
    if (InformationBound.maximumLikelihoodSteps(spectrum, 1, target) == 0) {
      throw new IllegalArgumentException(
          "the spectrum has no gradient noise, so that there is nothing to average in a batch");
    }
    Tuner tuner = new Tuner(spectrum);
    double low = 1;
    double fewest =
        examples(tuner, method, power, low, target)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no run reaches the target risk "
                            + target
                            + " with batch size 1 within the limit of steps; raise the target"));
    // smaller batches need fewer examples until they are all signal-limited
    for (boolean falling = true; falling; ) {
      Optional<Double> next = examples(tuner, method, power, low / 4, target);
      falling = next.isPresent() && next.get() < 0.98 * fewest;
      if (falling) {
        low /= 4;
        fewest = next.get();
      }
    }
    double high = 4 * low;
    while (isEfficient(tuner, method, power, high, target, fewest)) {
      high *= 4;
    }
    low = Math.max(low, high / 4);
    while (high / low > Math.pow(2, OCTAVES)) {
      double middle = Math.sqrt(low * high);
      if (isEfficient(tuner, method, power, middle, target, fewest)) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.sqrt(low * high);
  }

  private static boolean isEfficient(
      Tuner tuner, Method method, double power, double batch, double target, double fewest) {
    return examples(tuner, method, power, batch, target).orElseThrow() <= 2 * fewest;
  }

  private static Optional<Double> examples(
      Tuner tuner, Method method, double power, double batchSize, double target) {
    return tuner
        .tuneContinuously(method, power, batchSize, target)
        .map(run -> run.crossing() * batchSize);
  }
}
