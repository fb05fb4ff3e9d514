package io.github.kfac4j.experiments.study.trial;

import static io.github.kfac4j.experiments.study.trial.Metaparameter.AVERAGE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.BETA1;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.BETA2;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.DAMPING;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.EPSILON;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.FACTOR_DECAY;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.KL_CLIP;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.LEARNING_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.MOMENTUM;

import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

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

  /** What is searched where the user says nothing. */
  public enum Extent {
    /** All that Zhang et al. (2019) tune for the optimizer. */
    ALL,
    /** Learning rate and damping (Ma et al., 2019), at the momentum of {@code train}. */
    RATE_AND_DAMPING
  }

  /**
   * What is searched where the user says nothing. Learning rates go from a tenth of that of {@code
   * train} to 30 times, for optimizers without momentum to ten times these values; dampings from a
   * tenth to 10 times.
   */
  public static SearchSpace defaults(StudyOptimizer optimizer, ModelName model, Extent extent) {
    Hyperparameters usual = Hyperparameters.defaults(model);
    OptimizerName rule = optimizer.rule();
    boolean all = extent == Extent.ALL;
    Map<Metaparameter, Range> ranges = new EnumMap<>(Metaparameter.class);
    double rate = usual.learningRates().get(rule) * (optimizer.momentum() ? 1 : 10);
    put(ranges, LEARNING_RATE, rate / 10, rate * 30);
    if (rule == OptimizerName.ADAM) {
      putMomentum(ranges, BETA1, optimizer.momentum() ? usual.adam().beta1() : 0, all);
      if (all) {
        put(ranges, BETA2, 0.9, 0.9999);
        put(ranges, EPSILON, 1e-8, 1e-2);
      }
    } else {
      putMomentum(ranges, MOMENTUM, optimizer.momentum() ? usual.momenta().get(rule) : 0, all);
    }
    if (rule.approximation().isPresent()) {
      double damping = usual.dampings().get(rule);
      put(ranges, DAMPING, damping / 10, damping * 10);
      if (all) {
        put(ranges, KL_CLIP, 1e-3, 10);
        put(ranges, FACTOR_DECAY, 0.8, 0.99);
      }
    }
    if (optimizer.averaged()) {
      put(ranges, AVERAGE, all ? 0.9 : 0.99, all ? 0.999 : 0.99);
    }
    return new SearchSpace(ranges);
  }

  /** Searched up to 0.99, or the usual value alone; 0 stays 0. */
  private static void putMomentum(
      Map<Metaparameter, Range> ranges, Metaparameter which, double usual, boolean search) {
    boolean searched = search && usual > 0;
    put(ranges, which, searched ? 0 : usual, searched ? 0.99 : usual);
  }

  private static void put(
      Map<Metaparameter, Range> ranges, Metaparameter metaparameter, double low, double high) {
    ranges.put(metaparameter, new Range(metaparameter, low, high));
  }

  /**
   * The inverse of {@link #toString}.
   *
   * @throws io.github.kfac4j.experiments.BadInputException if that is not what the text is
   */
  public static SearchSpace parse(String text) {
    Map<Metaparameter, Range> ranges = new EnumMap<>(Metaparameter.class);
    String[] words = text.split(" ");
    for (int i = 0; i + 1 < words.length; i += 2) {
      Metaparameter metaparameter = Metaparameter.ofOption(words[i]);
      ranges.put(metaparameter, Range.parse(metaparameter, words[i + 1]));
    }
    return new SearchSpace(ranges);
  }

  /** The ranges by option, as a user would write them. */
  @Override
  public String toString() {
    return ranges.values().stream()
        .map(range -> range.metaparameter().option() + " " + range)
        .collect(Collectors.joining(" "));
  }

  /** With another range of one metaparameter. */
  public SearchSpace with(Range range) {
    Map<Metaparameter, Range> changed = new EnumMap<>(ranges);
    changed.put(range.metaparameter(), range);
    return new SearchSpace(changed);
  }

  /** Without one metaparameter, which then is as in {@code train}. */
  public SearchSpace without(Metaparameter metaparameter) {
    Map<Metaparameter, Range> changed = new EnumMap<>(ranges);
    changed.remove(metaparameter);
    return new SearchSpace(changed);
  }

  /** The ranges that are not fixed. */
  public List<Range> searched() {
    return ranges.values().stream().filter(range -> !range.fixed()).toList();
  }

  /**
   * The values at a point with a coordinate in [0, 1] for each range that is searched; with so many
   * digits as tables have, so that a trial can be repeated from its line.
   */
  public Map<Metaparameter, Double> at(double[] point) {
    Map<Metaparameter, Double> values = new EnumMap<>(Metaparameter.class);
    int next = 0;
    for (Range range : ranges.values()) {
      values.put(
          range.metaparameter(),
          range.fixed() ? range.low() : Digits.rounded(range.at(point[next++]), 6));
    }
    return values;
  }
}
