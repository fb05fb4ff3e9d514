package io.github.kfac4j.experiments.options;

import io.github.kfac4j.experiments.options.KfacArguments.Bounds;
import io.github.kfac4j.experiments.options.KfacArguments.Damping;
import io.github.kfac4j.experiments.options.KfacArguments.Quadratic;
import io.github.kfac4j.experiments.options.KfacArguments.Rule;
import io.github.kfac4j.experiments.options.KfacArguments.WarmUp;
import io.github.kfac4j.trainer.DampingRule;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.trainer.Rates;
import io.github.kfac4j.trainer.Rates.Memory;
import io.github.kfac4j.trainer.Rates.Order;
import io.github.kfac4j.trainer.Schedule;
import io.github.kfac4j.trainer.UpdateRule;

/** The update rule around K-FAC. */
final class RuleSettings {
  private final RunOptions options;
  private final Hyperparameters hyperparameters;
  private final OptimizerName optimizer;
  private final KfacArguments given;

  RuleSettings(RunOptions options, OptimizerName optimizer, KfacArguments given) {
    this.options = options;
    this.hyperparameters = options.hyperparameters();
    this.optimizer = optimizer;
    this.given = given;
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
        WeightDecayText.value(hyperparameters.weightDecay()),
        given.rule().rescales());
  }

  private Rates rates() {
    Rule rule = given.rule();
    if (rule.quadratic() == null || rule.quadratic() == Quadratic.FALSE) {
      return new Rates.Scheduled(
          hyperparameters.learningRate(optimizer, options.steps()),
          hyperparameters.momentum(optimizer, options.steps()),
          rule.memory() == null ? Memory.VELOCITY : rule.memory(),
          rule.putsMomentumFirst() ? Order.MOMENTUM_FIRST : Order.PRECONDITION_FIRST);
    }
    if (rule.putsMomentumFirst()
        || rule.memory() != null
        || !hyperparameters.learningRateSchedule().isConstant()
        || !hyperparameters.momentumSchedule().isConstant()) {
      throw new IllegalArgumentException(
          "quadratic finds learning rate and momentum, which have no order, memory or schedule then");
    }
    return rule.quadratic() == Quadratic.TRUE
        ? Rates.quadraticMinimumWithMomentum()
        : Rates.quadraticMinimum();
  }

  private DampingRule damping() {
    Schedule schedule = hyperparameters.damping(optimizer, options.steps());
    boolean scheduled = !hyperparameters.dampingSchedule().isConstant();
    Damping rules = given.damping();
    WarmUp warmUp = rules.warmUp();
    if (rules.lm() != null) {
      if (warmUp != null || scheduled) {
        throw new IllegalArgumentException(
            "lm, warm-up and --damping-schedule are all rules for the damping: choose one");
      }
      return levenbergMarquardt(schedule.at(0), rules);
    }
    if (rules.gamma() != null || rules.lmBounds() != null) {
      throw new IllegalArgumentException(
          (rules.gamma() != null ? "gamma" : "lm-bounds") + " belongs to lm");
    }
    if (warmUp != null) {
      if (scheduled) {
        throw new IllegalArgumentException(
            "lm, warm-up and --damping-schedule are all rules for the damping: choose one");
      }
      return new DampingRule.Scheduled(
          Schedule.warmUp(warmUp.from(), schedule.at(0), warmUp.steps()));
    }
    return new DampingRule.Scheduled(schedule);
  }

  private static LevenbergMarquardt levenbergMarquardt(double damping, Damping rules) {
    LevenbergMarquardt usual = new LevenbergMarquardt(damping);
    Bounds bounds = rules.lmBounds();
    return new LevenbergMarquardt(
        damping,
        rules.lm(),
        usual.omega(),
        bounds == null ? usual.min() : bounds.min(),
        bounds == null ? usual.max() : bounds.max(),
        rules.gamma() == null ? 0 : rules.gamma());
  }
}
