package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.search.Search;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The search of one optimizer with one batch size, and the repetitions of its best values.
 *
 * @param search the trials of the search
 * @param repeats the repetitions
 * @param best the trial with the fewest steps to the goal, the first of several; null if none
 *     reached it
 * @param edges where the best values lie at the edge of what was searched, in words
 */
record Tuning(
    int batch, List<Result> search, List<Result> repeats, Result best, List<String> edges) {
  static Tuning of(int batch, List<Result> results, Settings settings) {
    Result best = Search.best(results).orElse(null);
    return new Tuning(
        batch,
        results.stream().filter(result -> result.trial().repeat() == 0).toList(),
        results.stream().filter(result -> result.trial().repeat() > 0).toList(),
        best,
        best == null ? List.of() : edges(best, settings));
  }

  private static List<String> edges(Result best, Settings settings) {
    List<String> edges = new ArrayList<>();
    for (Range range : settings.spaces().get(best.trial().optimizer()).searched()) {
      String edge = range.edge(best.trial().values().get(range.metaparameter()));
      if (edge != null) {
        edges.add(range.metaparameter().title() + " " + edge);
      }
    }
    return edges;
  }

  /** The number of trials of the search of which something is true. */
  long count(Predicate<TrialOutcome> what) {
    return search.stream().map(Result::outcome).filter(what).count();
  }

  /**
   * Steps to the goal, infinite where it was not reached: of the repetitions, as the best trial of
   * a search is the luckiest too; of that trial if it was not repeated; none if there is none.
   */
  double[] runs() {
    List<Result> runs = !repeats.isEmpty() ? repeats : best == null ? List.of() : List.of(best);
    return runs.stream()
        .map(Result::outcome)
        .mapToDouble(o -> o.reached() ? o.stepsToGoal() : Double.POSITIVE_INFINITY)
        .toArray();
  }

  /** That of the best trial. */
  double learningRate() {
    return best.trial().values().get(Metaparameter.LEARNING_RATE);
  }

  /** That divided by 1 - momentum, of Adam by 1 - beta1. */
  double effectiveRate() {
    Map<Metaparameter, Double> values = best.trial().values();
    double momentum =
        values.getOrDefault(Metaparameter.MOMENTUM, values.getOrDefault(Metaparameter.BETA1, 0.0));
    return learningRate() / (1 - momentum);
  }

  /** Of the repetitions, where trials run to the end and there are test images. */
  double[] testAccuracies() {
    return repeats.stream()
        .map(result -> result.outcome().finals())
        .filter(finals -> finals != null && finals.testAccuracy() != null)
        .mapToDouble(TrialOutcome.Finals::testAccuracy)
        .toArray();
  }

  /** The median of {@link #runs}; null if it did not reach the goal. */
  Double steps() {
    double[] runs = runs();
    double median = runs.length == 0 ? Double.POSITIVE_INFINITY : Bootstrap.median(runs);
    return median < Double.POSITIVE_INFINITY ? Double.valueOf(median) : null;
  }
}
