package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.nqm.InformationBound;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.NoisyQuadratic;
import io.github.kfac4j.nqm.ScheduleOptimizer;
import io.github.kfac4j.nqm.Spectrum;
import io.github.kfac4j.nqm.TunedRun;
import io.github.kfac4j.nqm.TunedSchedule;
import io.github.kfac4j.nqm.Tuner;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The tuned runs behind the figures, computed on all cores and kept, since figures share them. All
 * on the spectrum of the published protocol.
 */
final class Results {
  /** Preconditioning powers of the figures. */
  static final double[] POWERS = {0, 0.25, 0.5, 0.75};

  /** Target risk of the figures. */
  static final double TARGET = 0.01;

  private final Spectrum spectrum = Spectrum.reference();
  private final Tuner tuner = new Tuner(spectrum);
  private final Map<RunKey, TunedRun> runs = new ConcurrentHashMap<>();
  private final Map<ScheduleKey, TunedSchedule> schedules = new ConcurrentHashMap<>();
  private final Runnable progress;

  /**
   * @param progress called after each result, from any thread
   */
  Results(Runnable progress) {
    this.progress = progress;
  }

  private record RunKey(Method method, Double decay, double power, double batch, double target) {}

  private record ScheduleKey(double power, double batch, int pieces) {}

  /** 2^from, 2^(from + step) .. 2^to. */
  static double[] powersOfTwo(int from, int to, int step) {
    double[] values = new double[(to - from) / step + 1];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.pow(2, from + i * step);
    }
    return values;
  }

  /** Tuned on the protocol's grid, one per batch size. */
  List<TunedRun> runs(Method method, double power, double[] batches) {
    return runs(method, null, power, batches, TARGET);
  }

  /**
   * @param decay held; null to tune it as well
   */
  List<TunedRun> runs(Method method, Double decay, double power, double[] batches, double target) {
    return Arrays.stream(batches)
        .parallel()
        .mapToObj(batch -> run(new RunKey(method, decay, power, batch, target)))
        .toList();
  }

  private TunedRun run(RunKey key) {
    TunedRun run = runs.get(key);
    if (run == null) {
      // the grid reaches every target that the figures ask for
      run =
          (key.decay == null
                  ? tuner.tune(key.method, key.power, key.batch, key.target)
                  : tuner.tuneRate(key.method, key.decay, key.power, key.batch, key.target))
              .orElseThrow();
      runs.put(key, run);
    }
    progress.run();
    return run;
  }

  /** Optimal schedules, one per batch size. */
  List<TunedSchedule> schedules(double power, double[] batches, int pieces) {
    return Arrays.stream(batches)
        .parallel()
        .mapToObj(batch -> schedule(new ScheduleKey(power, batch, pieces)))
        .toList();
  }

  private TunedSchedule schedule(ScheduleKey key) {
    TunedSchedule schedule = schedules.get(key);
    if (schedule == null) {
      NoisyQuadratic model = new NoisyQuadratic(spectrum, key.power, key.batch);
      schedule = new ScheduleOptimizer(model).fewestSteps(key.pieces, TARGET).orElseThrow();
      schedules.put(key, schedule);
    }
    progress.run();
    return schedule;
  }

  /** The maximum-likelihood bound on the steps, one per batch size. */
  double[] bounds(double[] batches, double target) {
    return Arrays.stream(batches)
        .map(batch -> InformationBound.maximumLikelihoodSteps(spectrum, batch, target))
        .toArray();
  }
}
