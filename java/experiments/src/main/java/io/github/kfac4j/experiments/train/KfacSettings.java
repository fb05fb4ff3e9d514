package io.github.kfac4j.experiments.train;

import io.github.kfac4j.Approximation;
import io.github.kfac4j.Convention;
import io.github.kfac4j.DampingMode;
import io.github.kfac4j.Intervals;
import io.github.kfac4j.InversePolicy;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.train.KfacText.Key;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.step.UpdateRule;
import java.util.Optional;

/** What {@code --kfac} may say, turned into the library's settings. */
final class KfacSettings {
  private final RunOptions options;
  private final OptimizerName optimizer;
  private final KfacText text;
  private final int rank;

  private KfacSettings(RunOptions options, OptimizerName optimizer, int rank) {
    this.options = options;
    this.optimizer = optimizer;
    this.text = new KfacText(options.hyperparameters().kfac());
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
  record Built(
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
  static Built of(RunOptions options, OptimizerName optimizer) {
    return of(options, optimizer, 0);
  }

  /** The same for one of several ranks, which draw different random numbers. */
  static Built of(RunOptions options, OptimizerName optimizer, int rank) {
    KfacSettings settings = new KfacSettings(options, optimizer, rank);
    try {
      settings.requireMeasurable();
      Sharing.of(options);
      Approximation approximation = optimizer.approximation().orElseThrow();
      return new Built(
          settings.kfacOptions(approximation),
          settings.fisher(),
          new RuleSettings(options, optimizer, settings.text).rule(),
          settings.text.get(Key.MICRO_BATCHES, Integer::parseInt).orElse(1),
          settings.flattened(approximation));
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--kfac: " + e.getMessage(), e);
    }
  }

  private void requireMeasurable() {
    if (text.has(Key.MICRO_BATCHES) && (text.has(Key.LM) || text.has(Key.QUADRATIC))) {
      throw new IllegalArgumentException(
          "lm and quadratic measure the whole batch, which micro-batches never hold at once");
    }
    if (text.has(Key.GAMMA) && text.has(Key.STALE)) {
      throw new IllegalArgumentException("gamma renews all inverses, which stale spares");
    }
    if (text.has(Key.INVERSE) && text.get(Key.DAMPING_MODE).equals(Optional.of("exact"))) {
      throw new IllegalArgumentException(
          "inverse is about damped factors, but the exact damping-mode has none: leave one out");
    }
  }

  private KfacOptions kfacOptions(Approximation approximation) {
    KfacOptions built =
        KfacOptions.DEFAULT
            .withDamping(options.hyperparameters().dampings().get(optimizer))
            .withApproximation(approximation)
            .withConvention(text.get(Key.CONVENTION, Convention::of).orElse(Convention.KFC))
            .withMaxExamples(text.get(Key.EXAMPLES, Integer::parseInt).orElse(Integer.MAX_VALUE))
            .withDecay(
                text.get(Key.DECAY, Double::parseDouble).orElse(KfacOptions.DEFAULT.decay()));
    if (approximation == Approximation.KRONECKER) {
      built =
          built.withDampingMode(
              text.choice(Key.DAMPING_MODE, DampingMode.class).orElse(DampingMode.FACTORED));
    }
    built = built.withIntervals(intervals(built.intervals()));
    InversePolicy.Method method =
        text.choice(Key.INVERSE, InversePolicy.Method.class).orElse(InversePolicy.Method.CHOLESKY);
    built = built.withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
    return text.has(Key.KL_CLIP)
        ? built.withKlClip(text.get(Key.KL_CLIP, Double::parseDouble).get(), 1)
        : built;
  }

  private Approximation flattened(Approximation others) {
    Approximation chosen = text.choice(Key.FLATTENED, Approximation.class).orElse(others);
    if (chosen == Approximation.DOUBLY_FACTORED && options.model() != ModelName.SIMPLE_CNN) {
      throw new IllegalArgumentException(
          "flattened is about a fully connected layer behind a feature map, which %s has not"
              .formatted(options.model()));
    }
    return chosen;
  }

  private Intervals intervals(Intervals usual) {
    Intervals built = usual;
    if (text.has(Key.STALE)) {
      if (text.has(Key.INTERVALS)) {
        throw new IllegalArgumentException("stale finds the intervals, which cannot be given too");
      }
      built = Intervals.adaptive(text.get(Key.STALE, Double::parseDouble).get());
    } else if (text.has(Key.INTERVALS)) {
      String[] pair = text.pair(Key.INTERVALS);
      built = Intervals.of(Integer.parseInt(pair[0]), Integer.parseInt(pair[1]));
    }
    return built.withBurnIn(text.get(Key.BURN_IN, Integer::parseInt).orElse(0));
  }

  private Fisher fisher() {
    long seed = options.seed() + 1_000_003L * rank;
    Fisher fisher =
        switch (text.get(Key.FISHER).orElse("empirical")) {
          case "empirical" -> Fisher.EMPIRICAL;
          case "mc" -> Fisher.monteCarlo(seed);
          case "exact" -> Fisher.exact();
          case "curvature-prop" -> Fisher.curvaturePropagation(seed);
          default ->
              throw new IllegalArgumentException(
                  "fisher must be empirical, mc, exact or curvature-prop");
        };
    return fisher.withLoss(Task.of(options.model()).distribution());
  }
}
