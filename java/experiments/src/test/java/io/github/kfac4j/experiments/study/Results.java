package io.github.kfac4j.experiments.study;

import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Outcome;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.Map;

/** Results without training. */
public final class Results {
  private Results() {}

  /** A trial of K-FAC; no steps mean that it did not reach the goal. */
  public static Result of(int batch, int number, double rate, double damping, Long steps) {
    Map<Metaparameter, Double> values =
        Map.of(Metaparameter.LEARNING_RATE, rate, Metaparameter.DAMPING, damping);
    Outcome outcome =
        new Outcome(Map.of(), steps, steps == null, steps == null ? 9 : steps, 1.0, 1.0, 0.5, 1);
    return new Result(new Trial(OptimizerName.KFAC, batch, number, values), outcome);
  }
}
