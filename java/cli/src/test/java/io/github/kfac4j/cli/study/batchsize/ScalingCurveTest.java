package io.github.kfac4j.cli.study.batchsize;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.study.Results;
import io.github.kfac4j.cli.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.cli.study.batchsize.ScalingCurve.Tuning;
import io.github.kfac4j.cli.study.trial.Result;
import io.github.kfac4j.cli.study.trial.StudyArguments;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ScalingCurveTest {
  private static ScalingCurve curve(Result... results) {
    StudyArguments arguments = new StudyArguments();
    new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("a", spec(arguments)))
        .parseArgs("--lr", "1e-4:1", "--damping", "1e-3:10");
    return ScalingCurve.of(List.of(results), arguments.settings("0.9")).get(0);
  }

  private static CommandLine.Model.CommandSpec spec(StudyArguments arguments) {
    return CommandLine.Model.CommandSpec.forAnnotatedObject(arguments);
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
    assertThat(List.of(first.trials(), first.reached(), first.diverged())).containsExactly(4, 3, 1);
    assertThat(curve.tunings().get(1).best()).isNull();
    assertThat(curve.excess(curve.tunings().get(1))).isNull();
    assertThat(curve.excess(curve.tunings().get(2))).isEqualTo(2);
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
