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
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StudyOptimizerTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd",
        "heavy-ball",
        "adam-0",
        "adam",
        "kfac-0",
        "kfac",
        "ekfac",
        "diagonal",
        "sgd-ema",
        "heavy-ball-ema",
        "adam-0-ema",
        "adam-ema",
        "kfac-0-ema",
        "kfac-ema",
        "ekfac-ema"
      })
  void everyRowHasItsName(String name) {
    assertThat(StudyOptimizer.of("--optimizer", name)).hasToString(name);
  }

  @Test
  void othersAreRefused() {
    assertThatThrownBy(() -> StudyOptimizer.of("--optimizer", "newton"))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("--optimizer: unknown 'newton'");
  }

  private static List<Metaparameter> searched(String name) {
    StudyOptimizer optimizer = StudyOptimizer.of("--optimizer", name);
    return SearchSpace.defaults(optimizer, ModelName.MLP, SearchSpace.Extent.ALL)
        .searched()
        .stream()
        .map(Range::metaparameter)
        .toList();
  }

  /** Zhang et al. (2019), appendix F. */
  @Test
  void allThatThePaperTunesIsSearched() {
    assertThat(searched("sgd")).containsExactly(LEARNING_RATE);
    assertThat(searched("heavy-ball")).containsExactly(LEARNING_RATE, MOMENTUM);
    assertThat(searched("adam-0")).containsExactly(LEARNING_RATE, BETA2, EPSILON);
    assertThat(searched("adam")).containsExactly(LEARNING_RATE, BETA1, BETA2, EPSILON);
    assertThat(searched("kfac-0")).containsExactly(LEARNING_RATE, DAMPING, KL_CLIP, FACTOR_DECAY);
    assertThat(searched("kfac-ema"))
        .containsExactly(LEARNING_RATE, MOMENTUM, DAMPING, KL_CLIP, FACTOR_DECAY, AVERAGE);
  }

  private static Hyperparameters settings(String name, Map<Metaparameter, Double> values) {
    Trial trial = new Trial(StudyOptimizer.of("--optimizer", name), 32, 0, values);
    return TrialSettings.of(trial, ModelName.MLP, KfacText.of(Map.of("intervals", "1:1")), 400);
  }

  @Test
  void valuesBecomeSettingsOfARun() {
    Hyperparameters kfac =
        settings(
            "kfac-ema",
            Map.of(
                LEARNING_RATE,
                0.1,
                MOMENTUM,
                0.8,
                DAMPING,
                0.2,
                KL_CLIP,
                0.5,
                FACTOR_DECAY,
                0.9,
                AVERAGE,
                0.99,
                FINAL_RATE,
                0.01,
                DECAY_LENGTH,
                0.5));
    assertThat(kfac.learningRates()).containsEntry(OptimizerName.KFAC, 0.1);
    assertThat(kfac.learningRateSchedule().text()).isEqualTo("linear:0.01@200");
    assertThat(kfac.momenta()).containsEntry(OptimizerName.KFAC, 0.8);
    assertThat(kfac.dampings()).containsEntry(OptimizerName.KFAC, 0.2);
    assertThat(kfac.average()).isEqualTo(0.99);
    assertThat(kfac.kfac().text())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("intervals", "1:1", "kl-clip", "0.5", "decay", "0.9"));
    Hyperparameters adam =
        settings("adam", Map.of(LEARNING_RATE, 0.1, BETA1, 0.8, BETA2, 0.9, EPSILON, 1e-3));
    assertThat(adam.adam().beta1()).isEqualTo(0.8);
    assertThat(adam.adam().beta2()).isEqualTo(0.9);
    assertThat(adam.adam().epsilon()).isEqualTo(1e-3);
    assertThat(adam.average()).isNull();
    assertThat(adam.learningRateSchedule().text()).isEqualTo("constant");
  }
}
