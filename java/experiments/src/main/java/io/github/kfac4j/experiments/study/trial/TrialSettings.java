package io.github.kfac4j.experiments.study.trial;

import static io.github.kfac4j.experiments.study.trial.Metaparameter.AVERAGE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.BETA1;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.BETA2;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.DAMPING;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.DECAY_LENGTH;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.EPSILON;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.FACTOR_DECAY;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.FINAL_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.KL_CLIP;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.LEARNING_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.MOMENTUM;

import io.github.kfac4j.experiments.options.AdamConstants;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacKey;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.ScheduleText;
import java.util.EnumMap;
import java.util.Map;

/** The metaparameters of a trial as the settings of a run of {@code train}. */
final class TrialSettings {
  private TrialSettings() {}

  /**
   * The settings.
   *
   * @param kfac further settings of K-FAC
   * @param budget steps that a trial may take at most, whether or not it is ended early
   */
  static Hyperparameters of(Trial trial, ModelName model, KfacText kfac, long budget) {
    Hyperparameters usual = Hyperparameters.defaults(model);
    Map<Metaparameter, Double> values = trial.values();
    OptimizerName rule = trial.optimizer().rule();
    return new Hyperparameters(
        with(usual.learningRates(), rule, values.get(LEARNING_RATE)),
        schedule(values, budget),
        with(usual.momenta(), rule, values.get(MOMENTUM)),
        usual.momentumSchedule(),
        with(usual.dampings(), rule, values.get(DAMPING)),
        usual.dampingSchedule(),
        usual.weightDecay(),
        new AdamConstants(
            values.getOrDefault(BETA1, usual.adam().beta1()),
            values.getOrDefault(BETA2, usual.adam().beta2()),
            values.getOrDefault(EPSILON, usual.adam().epsilon())),
        values.getOrDefault(AVERAGE, usual.average()),
        with(
            with(kfac, KfacKey.KL_CLIP, values.get(KL_CLIP)),
            KfacKey.DECAY,
            values.get(FACTOR_DECAY)));
  }

  /** A schedule whose length does not depend on where the trial ends. */
  private static ScheduleText schedule(Map<Metaparameter, Double> values, long budget) {
    if (!values.containsKey(DECAY_LENGTH)) {
      return ScheduleText.CONSTANT;
    }
    long steps = Math.max(1, Math.round(values.get(DECAY_LENGTH) * budget));
    return new ScheduleText("linear:%s@%d".formatted(values.get(FINAL_RATE), steps));
  }

  private static Map<OptimizerName, Double> with(
      Map<OptimizerName, Double> usual, OptimizerName optimizer, Double value) {
    Map<OptimizerName, Double> changed = new EnumMap<>(usual);
    if (value != null) {
      changed.put(optimizer, value);
    }
    return changed;
  }

  private static KfacText with(KfacText usual, KfacKey key, Double value) {
    return value == null ? usual : usual.with(key, value.toString());
  }
}
