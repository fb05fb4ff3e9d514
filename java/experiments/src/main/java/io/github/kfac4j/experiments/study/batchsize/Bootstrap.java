package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.report.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * Percentile intervals of what is read off a curve (Efron, 1979): the runs of each batch size are
 * drawn anew with replacement, the curve of their medians is made again, 2,000 times.
 */
final class Bootstrap {
  private static final int RESAMPLES = 2000;

  private Bootstrap() {}

  /**
   * The runs with one batch size.
   *
   * @param steps to the goal of each, infinite where it was not reached
   */
  record Runs(int batch, double[] steps) {
    /** The point of their median; null if that did not reach the goal. */
    Point median() {
      double middle = Bootstrap.median(steps);
      return middle < Double.POSITIVE_INFINITY ? new Point(batch, middle) : null;
    }

    private Runs resampled(Random random) {
      double[] drawn = new double[steps.length];
      Arrays.setAll(drawn, i -> steps[random.nextInt(steps.length)]);
      return new Runs(batch, drawn);
    }
  }

  /** The curve of medians, with ascending batch sizes; without those that miss the goal. */
  static List<Point> points(List<Runs> runs) {
    List<Point> points = new ArrayList<>();
    for (Runs one : runs) {
      Point point = one.median();
      if (point != null) {
        points.add(point);
      }
    }
    return points;
  }

  /** The interval of a value of the curve, NaN where it has none; null if it never has one. */
  static Interval interval(List<Runs> runs, ToDoubleFunction<List<Point>> value) {
    return Interval.of(values(runs, value, 0)); // the same runs give the same interval
  }

  /** The values of the curve in all resamplings; others with another seed. */
  static double[] values(List<Runs> runs, ToDoubleFunction<List<Point>> value, long seed) {
    Random random = new Random(seed);
    double[] values = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      values[i] =
          value.applyAsDouble(points(runs.stream().map(one -> one.resampled(random)).toList()));
    }
    return values;
  }

  /** The middle value, of an even number the mean of the two in the middle. */
  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
