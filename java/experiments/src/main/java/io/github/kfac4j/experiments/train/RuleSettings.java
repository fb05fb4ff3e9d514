package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.train.KfacText.Key;
import io.github.kfac4j.step.DampingRule;
import io.github.kfac4j.step.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.step.Rates;
import io.github.kfac4j.step.Rates.Memory;
import io.github.kfac4j.step.Rates.Order;
import io.github.kfac4j.step.Schedule;
import io.github.kfac4j.step.UpdateRule;
import java.util.function.Predicate;

/** The update rule around K-FAC. */
final class RuleSettings {
  private final RunOptions options;
  private final Hyperparameters hyperparameters;
  private final OptimizerName optimizer;
  private final KfacText text;

  RuleSettings(RunOptions options, OptimizerName optimizer, KfacText text) {
    this.options = options;
    this.hyperparameters = options.hyperparameters();
    this.optimizer = optimizer;
    this.text = text;
  }

  /**
   * The rule.
   *
   * @throws IllegalArgumentException naming the setting that is bad or contradicts another
   */
  UpdateRule rule() {
    return new UpdateRule(
        rates(),
        damping(),
        RuleParser.weightDecay(hyperparameters.weightDecay()),
        text.on(Key.RESCALE));
  }

  private Rates rates() {
    String quadratic = text.get(Key.QUADRATIC).orElse("false");
    if (quadratic.equals("false")) {
      return new Rates.Scheduled(
          hyperparameters.learningRate(optimizer, options.steps()),
          hyperparameters.momentum(optimizer, options.steps()),
          text.choice(Key.MEMORY, Memory.class).orElse(Memory.VELOCITY),
          text.on(Key.MOMENTUM_FIRST) ? Order.MOMENTUM_FIRST : Order.PRECONDITION_FIRST);
    }
    Predicate<String> scheduled = schedule -> !schedule.equals(Hyperparameters.CONSTANT);
    if (text.on(Key.MOMENTUM_FIRST)
        || text.has(Key.MEMORY)
        || scheduled.test(hyperparameters.learningRateSchedule())
        || scheduled.test(hyperparameters.momentumSchedule())) {
      throw new IllegalArgumentException(
          "quadratic finds learning rate and momentum, which have no order, memory or schedule then");
    }
    if (!quadratic.equals("true") && !quadratic.equals("rate")) {
      throw new IllegalArgumentException(
          "quadratic must be true, rate (without momentum) or false but is " + quadratic);
    }
    return new Rates.QuadraticMinimum(quadratic.equals("true"));
  }

  private DampingRule damping() {
    Schedule schedule = hyperparameters.damping(optimizer, options.steps());
    boolean scheduled = !hyperparameters.dampingSchedule().equals(Hyperparameters.CONSTANT);
    if (text.has(Key.LM)) {
      if (text.has(Key.WARM_UP) || scheduled) {
        throw new IllegalArgumentException(
            "lm, warm-up and --damping-schedule are all rules for the damping: choose one");
      }
      return levenbergMarquardt(schedule.at(0));
    }
    for (Key key : new Key[] {Key.GAMMA, Key.LM_BOUNDS}) {
      if (text.has(key)) {
        throw new IllegalArgumentException(key + " belongs to lm");
      }
    }
    if (text.has(Key.WARM_UP)) {
      if (scheduled) {
        throw new IllegalArgumentException(
            "lm, warm-up and --damping-schedule are all rules for the damping: choose one");
      }
      String[] pair = text.pair(Key.WARM_UP);
      return new DampingRule.Scheduled(
          Schedule.warmUp(Double.parseDouble(pair[0]), schedule.at(0), Long.parseLong(pair[1])));
    }
    return new DampingRule.Scheduled(schedule);
  }

  private LevenbergMarquardt levenbergMarquardt(double damping) {
    LevenbergMarquardt usual = new LevenbergMarquardt(damping);
    String[] bounds = text.has(Key.LM_BOUNDS) ? text.pair(Key.LM_BOUNDS) : null;
    return new LevenbergMarquardt(
        damping,
        text.get(Key.LM, Integer::parseInt).orElseThrow(),
        usual.omega(),
        bounds == null ? usual.min() : Double.parseDouble(bounds[0]),
        bounds == null ? usual.max() : Double.parseDouble(bounds[1]),
        text.get(Key.GAMMA, Integer::parseInt).orElse(0));
  }
}
