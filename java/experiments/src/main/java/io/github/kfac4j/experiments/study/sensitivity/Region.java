package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The grid of one optimizer and batch size, and which of its points reached the goal. */
record Region(StudyOptimizer optimizer, int batch, List<Result> results) {

  /** The regions in the order of their first trials. */
  static List<Region> of(List<Result> results) {
    Map<List<Object>, Region> regions = new LinkedHashMap<>();
    for (Result result : results) {
      StudyOptimizer optimizer = result.trial().optimizer();
      int batch = result.trial().batch();
      regions
          .computeIfAbsent(
              List.of(optimizer, batch), key -> new Region(optimizer, batch, new ArrayList<>()))
          .results
          .add(result);
    }
    return List.copyOf(regions.values());
  }

  List<Result> reached() {
    return results.stream().filter(result -> result.outcome().reached()).toList();
  }

  long diverged() {
    return results.stream().map(Result::outcome).filter(TrialOutcome::diverged).count();
  }

  /** The part of the points that reached the goal. */
  double fraction() {
    return (double) reached().size() / results.size();
  }

  /** The fewest steps to the goal; null if no point reached it. */
  Long fewestSteps() {
    return reached().stream()
        .map(result -> result.outcome().stepsToGoal())
        .min(Long::compare)
        .orElse(null);
  }

  /**
   * Pearson's correlation of the logarithms of learning rate and damping over the points that
   * reached the goal (Ma et al., 2019: the good region lies along a diagonal); null where it is not
   * defined.
   */
  Double coupling() {
    List<Result> good =
        reached().stream()
            .filter(result -> result.trial().values().containsKey(Metaparameter.DAMPING))
            .toList();
    double[] x = logs(good, Metaparameter.LEARNING_RATE);
    double[] y = logs(good, Metaparameter.DAMPING);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += x[i] * x[i];
      yy += y[i] * y[i];
      xy += x[i] * y[i];
    }
    boolean varied = xx > 1e-12 && yy > 1e-12;
    return varied ? Double.valueOf(xy / Math.sqrt(xx * yy)) : null;
  }

  /** Minus their mean. */
  private static double[] logs(List<Result> results, Metaparameter metaparameter) {
    double[] logs =
        results.stream()
            .mapToDouble(r -> Math.log(r.trial().values().get(metaparameter)))
            .toArray();
    double mean = Arrays.stream(logs).average().orElse(0);
    return Arrays.stream(logs).map(log -> log - mean).toArray();
  }
}
