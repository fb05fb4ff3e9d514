package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.trial.Outcome;
import io.github.kfac4j.experiments.study.trial.Range;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What one optimizer needed with each batch size.
 *
 * @param tunings with ascending batch sizes
 */
record ScalingCurve(OptimizerName optimizer, List<Tuning> tunings) {

  /**
   * The search with one batch size.
   *
   * @param best the trial with the fewest steps to the goal, the first of several; null if none
   *     reached it
   * @param edges where the best values lie at the edge of what was searched, in words
   */
  record Tuning(int batch, int trials, int reached, int diverged, Result best, List<String> edges) {
    static Tuning of(int batch, List<Result> results, Settings settings) {
      List<Outcome> outcomes = results.stream().map(Result::outcome).toList();
      Result best =
          results.stream()
              .filter(result -> result.outcome().reached())
              .min(Comparator.comparing(result -> result.outcome().stepsToGoal()))
              .orElse(null);
      return new Tuning(
          batch,
          outcomes.size(),
          (int) outcomes.stream().filter(Outcome::reached).count(),
          (int) outcomes.stream().filter(Outcome::diverged).count(),
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

    Long steps() {
      return best == null ? null : best.outcome().stepsToGoal();
    }
  }

  /** The curves of all optimizers, in the order of their first trials. */
  static List<ScalingCurve> of(List<Result> results, Settings settings) {
    List<OptimizerName> optimizers =
        results.stream().map(result -> result.trial().optimizer()).distinct().toList();
    return optimizers.stream()
        .map(
            optimizer -> {
              Map<Integer, List<Result>> byBatch =
                  results.stream()
                      .filter(result -> result.trial().optimizer() == optimizer)
                      .collect(
                          Collectors.groupingBy(
                              result -> result.trial().batch(), TreeMap::new, Collectors.toList()));
              List<Tuning> tunings = new ArrayList<>();
              byBatch.forEach((batch, part) -> tunings.add(Tuning.of(batch, part, settings)));
              return new ScalingCurve(optimizer, tunings);
            })
        .toList();
  }

  /** The batch sizes with which the goal was reached. */
  List<Point> points() {
    return tunings.stream()
        .map(t -> t.steps() == null ? null : new Point(t.batch(), t.steps()))
        .filter(Objects::nonNull)
        .toList();
  }

  /** Steps as a multiple of perfect scaling from the smallest batch size; null if not reached. */
  Double excess(Tuning tuning) {
    List<Point> points = points();
    for (int i = 0; i < points.size(); i++) {
      if (points.get(i).batch() == tuning.batch()) {
        return CriticalBatch.excess(points, i);
      }
    }
    return null;
  }

  CriticalBatch critical() {
    return CriticalBatch.of(points());
  }
}
