package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.List;
import java.util.Map;

/** Results without training. */
public final class Results {
  /** The optimizer of the trials. */
  public static final StudyOptimizer KFAC = new StudyOptimizer(OptimizerName.KFAC, true, false);

  private Results() {}

  /** A trial of K-FAC; no steps mean that it diverged before it reached the goal. */
  public static Result of(int batch, int number, double rate, double damping, Long steps) {
    return of(batch, number, rate, damping, 0, steps);
  }

  /** A repetition of it. */
  public static Result of(
      int batch, int number, double rate, double damping, int repeat, Long steps) {
    Map<Metaparameter, Double> values =
        Map.of(Metaparameter.LEARNING_RATE, rate, Metaparameter.DAMPING, damping);
    TrialOutcome outcome =
        new TrialOutcome(
            Map.of(),
            steps,
            steps == null,
            false,
            steps == null ? 9 : steps,
            1.0,
            1.0,
            0.5,
            null,
            List.of());
    return new Result(new Trial(KFAC, batch, number, values, repeat), outcome);
  }
}
