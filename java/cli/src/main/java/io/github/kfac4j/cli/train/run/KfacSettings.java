package io.github.kfac4j.cli.train.run;

import io.github.kfac4j.Intervals;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.step.DampingRule;
import io.github.kfac4j.step.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.step.Rates;
import io.github.kfac4j.step.Rates.Memory;
import io.github.kfac4j.step.Rates.Order;
import io.github.kfac4j.step.Schedule;
import io.github.kfac4j.step.UpdateRule;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What {@code --kfac} may say, turned into the library's settings. */
final class KfacSettings {
  private final RunOptions options;
  private final OptimizerName optimizer;
  private final Map<String, String> given;
  private final int rank;

  private KfacSettings(RunOptions options, OptimizerName optimizer, int rank) {
    this.rank = rank;
    this.options = options;
    this.optimizer = optimizer;
    this.given = options.kfac();
  }

  /** The keys of {@code --kfac}. */
  enum Key {
    FISHER,
    INTERVALS,
    STALE,
    BURN_IN,
    EXAMPLES,
    MICRO_BATCHES,
    KL_CLIP,
    WARM_UP,
    LM,
    GAMMA,
    MOMENTUM_FIRST,
    QUADRATIC,
    RESCALE,
    ASSIGNMENT,
    WORKERS,
    PAYLOAD;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * The library's settings for one optimizer.
   *
   * @param options of K-FAC
   * @param fisher which output gradients factors are made of
   * @param rule around K-FAC
   * @param microBatches of a step
   */
  record Built(KfacOptions options, Fisher fisher, UpdateRule rule, int microBatches) {}

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
    options.kfac().keySet().forEach(KfacSettings::requireKnown);
    KfacSettings settings = new KfacSettings(options, optimizer, rank);
    try {
      settings.requireMeasurable();
      Sharing.of(options);
      return new Built(
          settings.kfacOptions(),
          settings.fisher(),
          settings.rule(),
          settings.get(Key.MICRO_BATCHES).map(Integer::parseInt).orElse(1));
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--kfac: " + e.getMessage(), e);
    }
  }

  private static void requireKnown(String key) {
    if (Arrays.stream(Key.values()).noneMatch(known -> known.toString().equals(key))) {
      throw new BadInputException(
          "--kfac: unknown '%s'; known are %s".formatted(key, Arrays.toString(Key.values())));
    }
  }

  private Optional<String> get(Key key) {
    return Optional.ofNullable(given.get(key.toString()));
  }

  private boolean on(Key key) {
    String value = get(key).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new IllegalArgumentException(
          "%s must be true or false but is %s".formatted(key, value));
    }
    return value.equals("true");
  }

  private String[] pair(Key key) {
    String[] pair = get(key).orElseThrow().split(":", 2);
    if (pair.length < 2) {
      throw new IllegalArgumentException("%s must be two numbers, A:B".formatted(key));
    }
    return pair;
  }

  private void requireMeasurable() {
    if (get(Key.MICRO_BATCHES).isPresent() && (get(Key.LM).isPresent() || on(Key.QUADRATIC))) {
      throw new IllegalArgumentException(
          "lm and quadratic measure the whole batch, which micro-batches never hold at once");
    }
    if (get(Key.GAMMA).isPresent() && get(Key.STALE).isPresent()) {
      throw new IllegalArgumentException("gamma renews all inverses, which stale spares");
    }
  }

  private KfacOptions kfacOptions() {
    KfacOptions built =
        KfacOptions.DEFAULT
            .withDamping(options.dampings().get(optimizer))
            .withApproximation(optimizer.approximation().orElseThrow())
            .withIntervals(intervals());
    if (get(Key.EXAMPLES).isPresent()) {
      built = built.withMaxExamples(Integer.parseInt(get(Key.EXAMPLES).get()));
    }
    return get(Key.KL_CLIP).isPresent()
        ? built.withKlClip(Double.parseDouble(get(Key.KL_CLIP).get()), 1)
        : built;
  }

  private Intervals intervals() {
    Intervals built = KfacOptions.DEFAULT.intervals();
    if (get(Key.STALE).isPresent()) {
      if (get(Key.INTERVALS).isPresent()) {
        throw new IllegalArgumentException("stale finds the intervals, which cannot be given too");
      }
      built = Intervals.adaptive(Double.parseDouble(get(Key.STALE).get()));
    } else if (get(Key.INTERVALS).isPresent()) {
      String[] pair = pair(Key.INTERVALS);
      built = Intervals.of(Integer.parseInt(pair[0]), Integer.parseInt(pair[1]));
    }
    return get(Key.BURN_IN).isPresent()
        ? built.withBurnIn(Integer.parseInt(get(Key.BURN_IN).get()))
        : built;
  }

  private Fisher fisher() {
    Fisher fisher =
        switch (get(Key.FISHER).orElse("empirical")) {
          case "empirical" -> Fisher.EMPIRICAL;
          case "mc" -> Fisher.monteCarlo(seed());
          case "exact" -> Fisher.exact();
          case "curvature-prop" -> Fisher.curvaturePropagation(seed());
          default ->
              throw new IllegalArgumentException(
                  "fisher must be empirical, mc, exact or curvature-prop");
        };
    return fisher.withLoss(Task.of(options.model()).distribution());
  }

  private long seed() {
    return options.seed() + 1_000_003L * rank;
  }

  private UpdateRule rule() {
    return new UpdateRule(
        rates(), damping(), RuleParser.weightDecay(options.weightDecay()), on(Key.RESCALE));
  }

  private Rates rates() {
    if (on(Key.QUADRATIC)) {
      if (on(Key.MOMENTUM_FIRST) || !options.learningRateSchedule().equals(RunOptions.CONSTANT)) {
        throw new IllegalArgumentException(
            "quadratic finds learning rate and momentum, which have no order and no schedule then");
      }
      return new Rates.QuadraticMinimum(true);
    }
    return new Rates.Scheduled(
        options.schedule(optimizer),
        Schedule.constant(Training.MOMENTUM),
        Memory.VELOCITY,
        on(Key.MOMENTUM_FIRST) ? Order.MOMENTUM_FIRST : Order.PRECONDITION_FIRST);
  }

  private DampingRule damping() {
    double damping = options.dampings().get(optimizer);
    if (get(Key.LM).isPresent()) {
      if (get(Key.WARM_UP).isPresent()) {
        throw new IllegalArgumentException("lm and warm-up are both rules for the damping");
      }
      LevenbergMarquardt rule = new LevenbergMarquardt(damping);
      return new LevenbergMarquardt(
          damping,
          Integer.parseInt(get(Key.LM).get()),
          rule.omega(),
          rule.min(),
          rule.max(),
          get(Key.GAMMA).map(Integer::parseInt).orElse(0));
    }
    if (get(Key.GAMMA).isPresent()) {
      throw new IllegalArgumentException("gamma belongs to lm");
    }
    if (get(Key.WARM_UP).isPresent()) {
      String[] pair = pair(Key.WARM_UP);
      return new DampingRule.Scheduled(
          Schedule.warmUp(Double.parseDouble(pair[0]), damping, Long.parseLong(pair[1])));
    }
    return DampingRule.constant(damping);
  }
}
