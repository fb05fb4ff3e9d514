package io.github.kfac4j.experiments.study.trial;

import static io.github.kfac4j.experiments.study.trial.Metaparameter.DAMPING;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.LEARNING_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.MOMENTUM;

import io.github.kfac4j.experiments.train.Hyperparameters;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The metaparameters of one optimizer and their ranges.
 *
 * @param ranges learning rate first
 */
public record SearchSpace(Map<Metaparameter, Range> ranges) {
  /** Copies. */
  public SearchSpace {
    ranges = new EnumMap<>(ranges);
  }

  /**
   * What is searched where the user says nothing: learning rates from a tenth of that of {@code
   * train} to 30 times, dampings from a tenth to 10 times, and momenta in a given range. Adam's are
   * fixed.
   */
  public static SearchSpace defaults(OptimizerName optimizer, ModelName model, String momentum) {
    Hyperparameters usual = Hyperparameters.defaults(model);
    Map<Metaparameter, Range> ranges = new EnumMap<>(Metaparameter.class);
    double rate = usual.learningRates().get(optimizer);
    ranges.put(LEARNING_RATE, new Range(LEARNING_RATE, rate / 10, rate * 30));
    if (usual.momenta().containsKey(optimizer)) {
      ranges.put(MOMENTUM, Range.parse(MOMENTUM, momentum));
    }
    Double damping = usual.dampings().get(optimizer);
    if (damping != null) {
      ranges.put(DAMPING, new Range(DAMPING, damping / 10, damping * 10));
    }
    return new SearchSpace(ranges);
  }

  /** The ranges that are not fixed. */
  public List<Range> searched() {
    return ranges.values().stream().filter(range -> !range.fixed()).toList();
  }

  /** The values at a point with a coordinate in [0, 1] for each range that is searched. */
  public Map<Metaparameter, Double> at(double[] point) {
    Map<Metaparameter, Double> values = new EnumMap<>(Metaparameter.class);
    int next = 0;
    for (Range range : ranges.values()) {
      values.put(range.metaparameter(), range.fixed() ? range.low() : range.at(point[next++]));
    }
    return values;
  }

  /** The settings of a run with these values. */
  static Hyperparameters settings(
      ModelName model,
      OptimizerName optimizer,
      Map<Metaparameter, Double> values,
      Map<String, String> kfac) {
    Hyperparameters usual = Hyperparameters.defaults(model);
    return new Hyperparameters(
        with(usual.learningRates(), optimizer, values.get(LEARNING_RATE)),
        usual.learningRateSchedule(),
        with(usual.momenta(), optimizer, values.get(MOMENTUM)),
        usual.momentumSchedule(),
        with(usual.dampings(), optimizer, values.get(DAMPING)),
        usual.dampingSchedule(),
        usual.weightDecay(),
        usual.average(),
        kfac);
  }

  private static Map<OptimizerName, Double> with(
      Map<OptimizerName, Double> usual, OptimizerName optimizer, Double value) {
    Map<OptimizerName, Double> changed = new EnumMap<>(usual);
    if (value != null) {
      changed.put(optimizer, value);
    }
    return changed;
  }
}
