package io.github.kfac4j.experiments.study.batchsize;

import static io.github.kfac4j.experiments.study.trial.Metaparameter.DAMPING;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.LEARNING_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.MOMENTUM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.Workload;
import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.search.Results;
import io.github.kfac4j.experiments.study.trial.Budget;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScalingCurveTest {
  private static final Settings SETTINGS =
      new Settings(
          Workload.usual(ModelName.MLP),
          "java",
          new Goal(0.8, null, Goal.On.VALIDATION),
          Budget.parse("steps:400"),
          1024,
          Map.of(
              Results.KFAC,
              new SearchSpace(
                  Map.of(
                      LEARNING_RATE, Range.parse(LEARNING_RATE, "1e-4:1"),
                      MOMENTUM, Range.parse(MOMENTUM, "0.9"),
                      DAMPING, Range.parse(DAMPING, "1e-3:10")))),
          KfacText.NONE,
          Recipe.USUAL,
          1,
          1,
          1.1,
          false);

  private static ScalingCurve curve(Result... results) {
    return ScalingCurve.of(List.of(results), SETTINGS).get(0);
  }

  @Test
  void takesTheFewestStepsOfEachBatchSize() {
    ScalingCurve curve =
        curve(
            Results.of(32, 0, 0.01, 0.1, 90L),
            Results.of(32, 1, 0.02, 0.1, 60L),
            Results.of(32, 2, 0.03, 0.1, 60L),
            Results.of(32, 3, 0.04, 0.1, null),
            Results.of(64, 0, 0.01, 0.1, null),
            Results.of(128, 0, 0.01, 0.1, 30L));
    assertThat(curve.points()).containsExactly(new Point(32, 60), new Point(128, 30));
    Tuning first = curve.tunings().get(0);
    assertThat(first.best().trial().number()).isEqualTo(1);
    assertThat(first.search()).hasSize(4);
    assertThat(first.count(TrialOutcome::reached)).isEqualTo(3);
    assertThat(first.count(TrialOutcome::diverged)).isEqualTo(1);
    assertThat(curve.tunings().get(1).best()).isNull();
    assertThat(curve.excess(curve.tunings().get(1))).isNull();
    assertThat(curve.excess(curve.tunings().get(2))).isEqualTo(2);
  }

  /** The best trial of a search is the luckiest too. */
  @Test
  void repetitionsTakeThePlaceOfTheBestTrial() {
    ScalingCurve curve =
        curve(
            Results.of(32, 0, 0.01, 0.1, 60L),
            Results.of(32, 0, 0.01, 0.1, 1, 80L),
            Results.of(32, 0, 0.01, 0.1, 2, 100L),
            Results.of(32, 0, 0.01, 0.1, 3, null),
            Results.of(64, 0, 0.01, 0.1, 30L),
            Results.of(64, 0, 0.01, 0.1, 1, 50L),
            Results.of(64, 0, 0.01, 0.1, 2, 50L));
    assertThat(curve.points()).containsExactly(new Point(32, 100), new Point(64, 50));
    assertThat(curve.exponent()).isEqualTo(1, within(1e-12));
    assertThat(curve.exponentInterval().low())
        .isEqualTo(Math.log(1.6) / Math.log(2), within(1e-12));
    assertThat(curve.tunings().get(0).search()).hasSize(1);
  }

  @Test
  void withoutRepetitionsThereIsNoInterval() {
    ScalingCurve curve =
        curve(Results.of(32, 0, 0.01, 0.1, 60L), Results.of(64, 0, 0.01, 0.1, 30L));
    assertThat(curve.criticalInterval()).isNull();
    assertThat(curve.exponentInterval()).isNull();
    assertThat(curve.exponent()).isEqualTo(1, within(1e-12));
  }

  @Test
  void saysWhichBestValuesLieAtTheEdge() {
    ScalingCurve curve =
        curve(
            Results.of(32, 0, 0.9, 0.0011, 10L),
            Results.of(64, 0, 0.01, 0.1, 10L),
            Results.of(128, 0, 0.01, 9, 10L));
    assertThat(curve.tunings().stream().map(Tuning::edges))
        .containsExactly(List.of("lr high", "damping low"), List.of(), List.of("damping high"));
  }
}
