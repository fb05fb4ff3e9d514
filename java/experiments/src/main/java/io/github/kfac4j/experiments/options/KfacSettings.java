package io.github.kfac4j.experiments.options;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.KfacArguments.FisherName;
import io.github.kfac4j.experiments.options.KfacArguments.Inverses;
import io.github.kfac4j.experiments.options.KfacArguments.Refreshes;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.UpdateRule;

/** What {@code --kfac} may say, turned into the library's settings. */
public final class KfacSettings {
  private final RunOptions options;
  private final OptimizerName optimizer;
  private final KfacArguments given;
  private final int rank;

  private KfacSettings(RunOptions options, OptimizerName optimizer, int rank) {
    this.options = options;
    this.optimizer = optimizer;
    this.given = options.hyperparameters().kfac().values();
    this.rank = rank;
  }

  /**
   * The library's settings for one optimizer.
   *
   * @param options of K-FAC
   * @param fisher which output gradients factors are made of
   * @param rule around K-FAC
   * @param microBatches of a step
   * @param flattened the approximation of fully connected layers behind a feature map
   */
  public record Built(
      KfacOptions options,
      Fisher fisher,
      UpdateRule rule,
      int microBatches,
      Approximation flattened) {}

  /**
   * Builds the settings of an optimizer.
   *
   * @throws BadInputException naming the setting that is unknown or bad, or contradicts another
   */
  public static Built of(RunOptions options, OptimizerName optimizer) {
    return of(options, optimizer, 0);
  }

  /** The same for one of several ranks, which draw different random numbers. */
  public static Built of(RunOptions options, OptimizerName optimizer, int rank) {
    KfacSettings settings = new KfacSettings(options, optimizer, rank);
    try {
      settings.requireMeasurable();
      Approximation approximation = optimizer.approximation().orElseThrow();
      return new Built(
          settings.kfacOptions(approximation),
          settings.fisher(),
          new RuleSettings(options, optimizer, settings.given).rule(),
          or(settings.given.factors().microBatches(), 1),
          settings.flattened(approximation));
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--kfac: " + e.getMessage(), e);
    }
  }

  private void requireMeasurable() {
    boolean measures = given.damping().lm() != null || given.rule().quadratic() != null;
    if (given.factors().microBatches() != null && measures) {
      throw new IllegalArgumentException(
          "lm and quadratic measure the whole batch, which micro-batches never hold at once");
    }
    if (given.damping().gamma() != null && given.refreshes().stale() != null) {
      throw new IllegalArgumentException("gamma renews all inverses, which stale spares");
    }
    Inverses inverses = given.inverses();
    if (inverses.method() != null && inverses.dampingMode() == DampingMode.EXACT) {
      throw new IllegalArgumentException(
          "inverse is about damped factors, but the exact damping-mode has none: leave one out");
    }
  }

  private static <T> T or(T value, T usual) {
    return value == null ? usual : value;
  }

  private KfacOptions kfacOptions(Approximation approximation) {
    KfacOptions built =
        KfacOptions.DEFAULT
            .withDamping(options.hyperparameters().dampings().get(optimizer))
            .withApproximation(approximation)
            .withConvention(or(given.factors().convention(), Convention.KFC))
            .withMaxExamples(or(given.factors().examples(), Integer.MAX_VALUE))
            .withDecay(or(given.factors().decay(), KfacOptions.DEFAULT.decay()));
    Inverses inverses = given.inverses();
    if (approximation == Approximation.KRONECKER) {
      built = built.withDampingMode(or(inverses.dampingMode(), DampingMode.FACTORED));
    }
    built = built.withIntervals(intervals(built.intervals()));
    InversePolicy.Method method = or(inverses.method(), InversePolicy.Method.CHOLESKY);
    built = built.withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
    return inverses.klClip() == null ? built.withoutKlClip() : built.withKlClip(inverses.klClip());
  }

  private Approximation flattened(Approximation others) {
    Approximation chosen = or(given.factors().flattened(), others);
    if (chosen == Approximation.DOUBLY_FACTORED
        && options.workload().model() != ModelName.SIMPLE_CNN) {
      throw new IllegalArgumentException(
          "flattened is about a fully connected layer behind a feature map, which %s does not have"
              .formatted(options.workload().model()));
    }
    return chosen;
  }

  private Intervals intervals(Intervals usual) {
    Refreshes refreshes = given.refreshes();
    if (refreshes.stale() != null && refreshes.intervals() != null) {
      throw new IllegalArgumentException("stale finds the intervals, which cannot be given too");
    }
    Intervals built =
        refreshes.stale() != null
            ? Intervals.adaptive(refreshes.stale())
            : or(refreshes.intervals(), usual);
    return built.withBurnIn(or(refreshes.burnIn(), 0));
  }

  private Fisher fisher() {
    long seed = options.seed() + 1_000_003L * rank;
    Fisher fisher =
        switch (or(given.factors().fisher(), FisherName.EMPIRICAL)) {
          case EMPIRICAL -> Fisher.EMPIRICAL;
          case MC -> Fisher.monteCarlo(seed);
          case EXACT -> Fisher.exact();
          case CURVATURE_PROP -> Fisher.curvaturePropagation(seed);
        };
    return fisher.withLoss(options.workload().model().outputLoss());
  }
}
