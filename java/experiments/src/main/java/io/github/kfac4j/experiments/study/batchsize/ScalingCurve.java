package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.batchsize.Bootstrap.Runs;
import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.report.Interval;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What one optimizer needed with each batch size.
 *
 * @param tunings with ascending batch sizes
 */
record ScalingCurve(StudyOptimizer optimizer, List<Tuning> tunings) {

  /** The curves of all optimizers, in the order of their first trials. */
  static List<ScalingCurve> of(List<Result> results, Settings settings) {
    List<StudyOptimizer> optimizers =
        results.stream().map(result -> result.trial().optimizer()).distinct().toList();
    return optimizers.stream()
        .map(
            optimizer -> {
              Map<Integer, List<Result>> byBatch =
                  results.stream()
                      .filter(result -> result.trial().optimizer().equals(optimizer))
                      .collect(
                          Collectors.groupingBy(
                              result -> result.trial().batch(), TreeMap::new, Collectors.toList()));
              List<Tuning> tunings = new ArrayList<>();
              byBatch.forEach((batch, part) -> tunings.add(Tuning.of(batch, part, settings)));
              return new ScalingCurve(optimizer, tunings);
            })
        .toList();
  }

  List<Runs> runs() {
    return tunings.stream()
        .filter(tuning -> tuning.runs().length > 0)
        .map(tuning -> new Runs(tuning.batch(), tuning.runs()))
        .toList();
  }

  /** The batch sizes with which the goal was reached. */
  List<Point> points() {
    return Bootstrap.points(runs());
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

  /** The interval of the critical batch size; null without repetitions or if nothing is known. */
  Interval criticalInterval() {
    return repeated() ? Bootstrap.interval(runs(), p -> CriticalBatch.of(p).value()) : null;
  }

  /**
   * The exponent s of {@code steps ~ batch^-s}, fitted by least squares on logarithmic scales; 1 is
   * perfect scaling, NaN with fewer than two batch sizes.
   */
  double exponent() {
    return exponent(points());
  }

  /** The interval of the exponent; null without repetitions or if nothing is known. */
  Interval exponentInterval() {
    return repeated() ? Bootstrap.interval(runs(), ScalingCurve::exponent) : null;
  }

  boolean repeated() {
    return !runs().isEmpty() && tunings.stream().noneMatch(tuning -> tuning.runs().length == 1);
  }

  static double exponent(List<Point> points) {
    if (points.size() < 2) {
      return Double.NaN;
    }
    double meanX = points.stream().mapToDouble(p -> Math.log(p.batch())).average().orElseThrow();
    double meanY = points.stream().mapToDouble(p -> Math.log(p.steps())).average().orElseThrow();
    double xx = 0;
    double xy = 0;
    for (Point point : points) {
      double x = Math.log(point.batch()) - meanX;
      xx += x * x;
      xy += x * (Math.log(point.steps()) - meanY);
    }
    return -xy / xx;
  }
}
