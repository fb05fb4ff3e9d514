package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.Trial;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * The trials of one optimizer with one batch size, in order.
 *
 * @param points the values of the n-th trial
 * @param trials that must not diverge: for each that does one more is made
 * @param most trials, however many diverge
 * @param stopsBehindBest whether a trial ends when it has trained as long as a better one before it
 * @param repeats of the best values with seeds of their own, to the end of the budget
 */
public record Search(
    StudyOptimizer optimizer,
    int batch,
    IntFunction<Map<Metaparameter, Double>> points,
    int trials,
    int most,
    boolean stopsBehindBest,
    int repeats) {

  /** The n-th trial. */
  Trial trial(int number) {
    return new Trial(optimizer, batch, number, points.apply(number));
  }

  /** The next trial after these results; empty if the search is complete. */
  Optional<Trial> next(List<Result> results) {
    long sound = results.stream().filter(result -> !result.outcome().diverged()).count();
    return sound < trials && results.size() < most
        ? Optional.of(trial(results.size()))
        : Optional.empty();
  }

  /**
   * The trial with the fewest steps to the goal, the first of several; empty if none reached it.
   */
  public static Optional<Result> best(List<Result> results) {
    return results.stream()
        .filter(result -> result.trial().repeat() == 0 && result.outcome().reached())
        .min(Comparator.comparing(result -> result.outcome().stepsToGoal()));
  }

  /** The steps after which the next trial cannot be the best any more. */
  long limit(List<Result> results, long budget) {
    return stopsBehindBest
        ? best(results).map(result -> result.outcome().stepsToGoal()).orElse(budget)
        : budget;
  }
}
