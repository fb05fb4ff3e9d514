package io.github.kfac4j.experiments.study.report;

import io.github.kfac4j.experiments.study.trial.Digits;
import java.util.Arrays;

/**
 * Where a quantity lies with 95 % confidence.
 *
 * @param high infinite if it may lie above all that was measured
 */
public record Interval(double low, double high) {
  private static final double TAIL = 0.025;

  /** The middle 95 % of resampled values, of which some may be infinite; null if there are none. */
  public static Interval of(double[] values) {
    double[] sorted =
        Arrays.stream(values).filter(value -> !Double.isNaN(value)).sorted().toArray();
    return sorted.length == 0
        ? null
        : new Interval(quantile(sorted, TAIL), quantile(sorted, 1 - TAIL));
  }

  private static double quantile(double[] sorted, double part) {
    return sorted[(int) Math.round(part * (sorted.length - 1))];
  }

  /** Whether the two have a value in common. */
  public boolean overlaps(Interval other) {
    return low <= other.high && other.low <= high;
  }

  /** In words, as a range of numbers. */
  public String describe(int digits) {
    if (low == Double.POSITIVE_INFINITY) {
      return "above all measured";
    }
    String start = Digits.significant(low, digits);
    return high == Double.POSITIVE_INFINITY
        ? "at least " + start
        : start + " to " + Digits.significant(high, digits);
  }
}
