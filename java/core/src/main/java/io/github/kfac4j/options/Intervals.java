package io.github.kfac4j.options;

import java.util.OptionalDouble;

/**
 * When statistics and inverses are renewed, in steps.
 *
 * @param factors steps between updates of the factors
 * @param inverses steps between updates of the inverses
 * @param burnIn first steps that only gather statistics: factors are updated in each of them, and
 *     gradients become zeros, so that the trainer's update rule stands still
 * @param similarity if present, each layer finds its own interval (Osawa et al. 2020, SP-NGD):
 *     statistics whose relative change in the Frobenius norm stays below this make it grow as 2, 3,
 *     5, 8, 13, ..., a larger change halves it. Between its refreshes a layer is neither observed
 *     nor inverted. Costs two more copies of the statistics.
 */
public record Intervals(int factors, int inverses, int burnIn, OptionalDouble similarity) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the first setting that is out of range, and its value
   */
  public Intervals {
    KfacOptions.require(factors > 0, "factor interval", factors, "positive");
    KfacOptions.require(inverses > 0, "inverse interval", inverses, "positive");
    KfacOptions.require(burnIn >= 0, "burn-in", burnIn, "at least 0");
    if (similarity.isPresent()) {
      double bound = similarity.getAsDouble();
      KfacOptions.require(bound > 0 && bound < 1, "similarity", bound, "in (0, 1)");
      KfacOptions.require(
          factors == 1 && inverses == 1,
          "intervals",
          factors + " and " + inverses,
          "1 where layers find their own");
    }
  }

  /** The same intervals for all layers, without burn-in. */
  public static Intervals of(int factors, int inverses) {
    return new Intervals(factors, inverses, 0, OptionalDouble.empty());
  }

  /** Each layer finds its own interval; SP-NGD's similarity is 0.1. */
  public static Intervals adaptive(double similarity) {
    return new Intervals(1, 1, 0, OptionalDouble.of(similarity));
  }

  /** With the first steps for statistics alone. */
  public Intervals withBurnIn(int steps) {
    return new Intervals(factors, inverses, steps, similarity);
  }

  /** Whether the step, counted from 0, only gathers statistics. */
  public boolean burningIn(long step) {
    return step < burnIn;
  }

  /** Whether the factors are updated before the step, counted from 0. */
  public boolean wantsFactors(long step) {
    return step < burnIn || (step - burnIn) % factors == 0;
  }

  /** Whether the inverses are updated before the step, counted from 0. */
  public boolean wantsInverses(long step) {
    return step >= burnIn && (step - burnIn) % inverses == 0;
  }
}
