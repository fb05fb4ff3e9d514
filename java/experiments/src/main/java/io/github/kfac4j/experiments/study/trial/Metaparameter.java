package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.OptimizerName;
import java.util.Arrays;
import java.util.Locale;

/** A metaparameter that a study searches. */
public enum Metaparameter {
  /** The learning rate, of all optimizers. */
  LEARNING_RATE("--lr", "lr", Scale.LOGARITHM),
  /** The momentum of heavy ball, K-FAC and its relatives. */
  MOMENTUM("--momentum", "momentum", Scale.DISTANCE_TO_ONE),
  /** The damping of K-FAC and its relatives. */
  DAMPING("--damping", "damping", Scale.LOGARITHM),
  /** The bound on the step of K-FAC and its relatives. */
  KL_CLIP("--kl-clip", "KL clip", Scale.LOGARITHM),
  /** The decay of the running averages of the factors, of K-FAC and its relatives. */
  FACTOR_DECAY("--factor-decay", "factor decay", Scale.DISTANCE_TO_ONE),
  /** Adam's momentum. */
  BETA1("--beta1", "beta1", Scale.DISTANCE_TO_ONE),
  /** The decay of Adam's mean of squares. */
  BETA2("--beta2", "beta2", Scale.DISTANCE_TO_ONE),
  /** What Adam adds to its denominators. */
  EPSILON("--eps", "eps", Scale.LOGARITHM),
  /** The decay of the average of the weights, of the optimizers that evaluate one. */
  AVERAGE("--ema", "EMA decay", Scale.DISTANCE_TO_ONE),
  /** What is left of the learning rate at the end of its linear decay, as a factor. */
  FINAL_RATE("--gamma", "gamma", Scale.LOGARITHM),
  /** How long the learning rate decays, as a part of a trial's budget. */
  DECAY_LENGTH("--decay-length", "decay length", Scale.LOGARITHM);

  /** On what a range is searched uniformly. */
  enum Scale {
    /** The logarithm of the value, which is positive. */
    LOGARITHM,
    /** The logarithm of 1 - value, which is in [0, 1) (Shallue et al., 2019). */
    DISTANCE_TO_ONE
  }

  private final String option;
  private final String title;
  private final Scale scale;

  Metaparameter(String option, String title, Scale scale) {
    this.option = option;
    this.title = title;
    this.scale = scale;
  }

  /** The one of an option. */
  static Metaparameter ofOption(String option) {
    return Arrays.stream(values())
        .filter(one -> one.option.equals(option))
        .findFirst()
        .orElseThrow(() -> new BadInputException("no metaparameter is " + option));
  }

  /** The option that sets its range. */
  public String option() {
    return option;
  }

  /** The name in tables and plots. */
  public String title() {
    return title;
  }

  /** A value in a few digits: three, or as many as tell it from 1. */
  public String text(double value) {
    boolean nearOne = scale == Scale.DISTANCE_TO_ONE && value > 0.9;
    return nearOne
        ? Digits.significant(1 - Digits.rounded(1 - value, 2), 6)
        : Digits.significant(value, 3);
  }

  Scale scale() {
    return scale;
  }

  /** Whether an optimizer has it. */
  public boolean appliesTo(StudyOptimizer optimizer) {
    boolean adam = optimizer.rule() == OptimizerName.ADAM;
    return switch (this) {
      case LEARNING_RATE, FINAL_RATE, DECAY_LENGTH -> true;
      case MOMENTUM -> !adam && optimizer.momentum();
      case DAMPING, KL_CLIP, FACTOR_DECAY -> optimizer.rule().approximation().isPresent();
      case BETA1 -> adam && optimizer.momentum();
      case BETA2, EPSILON -> adam;
      case AVERAGE -> optimizer.averaged();
    };
  }

  /** The name in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
