package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.nqm.TunedRun;
import io.github.kfac4j.nqm.TunedSchedule;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Columns of lists of results. */
final class Runs {
  private Runs() {}

  static double[] steps(List<TunedRun> runs) {
    return column(runs, TunedRun::steps);
  }

  static double[] effectiveRates(List<TunedRun> runs) {
    return column(runs, run -> run.algorithm().effectiveLearningRate());
  }

  static double[] scheduleSteps(List<TunedSchedule> schedules) {
    return column(schedules, s -> s.schedule().steps());
  }

  static <T> double[] column(List<T> list, ToDoubleFunction<T> value) {
    return list.stream().mapToDouble(value).toArray();
  }
}
