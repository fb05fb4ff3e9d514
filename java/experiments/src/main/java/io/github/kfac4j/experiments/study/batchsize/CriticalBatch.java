package io.github.kfac4j.experiments.study.batchsize;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The batch size from which on larger batches hardly pay: that at which a run needs {@link #FACTOR}
 * times the examples (steps times batch size) that it needs at the smallest batch size, that is,
 * {@link #FACTOR} times the steps of perfect scaling. Between two batch sizes the examples are
 * interpolated as a power of the batch size; the first crossing counts.
 *
 * @param reference the smallest batch size with which the goal was reached; null if there is none
 * @param batch the critical batch size; null if it lies outside of what was measured
 * @param above the largest batch size measured, if no crossing was found up to it; else null
 */
record CriticalBatch(
    @JsonProperty("reference_batch") Integer reference,
    @JsonProperty("batch") Double batch,
    @JsonProperty("above") Integer above) {
  /** The cost in examples that counts as no longer worth it, as in the noisy quadratic model. */
  static final double FACTOR = 2;

  /** One batch size and the fewest steps with it. */
  record Point(int batch, double steps) {
    double examples() {
      return batch * steps;
    }
  }

  /** The critical batch size of points with ascending batch sizes; unknown from fewer than two. */
  static CriticalBatch of(List<Point> points) {
    Integer reference = points.isEmpty() ? null : points.get(0).batch();
    for (int i = 1; i < points.size(); i++) {
      double before = excess(points, i - 1);
      double after = excess(points, i);
      if (after > FACTOR) {
        double part = Math.log(FACTOR / before) / Math.log(after / before);
        double low = points.get(i - 1).batch();
        double batch = low * Math.pow(points.get(i).batch() / low, part);
        return new CriticalBatch(reference, batch, null);
      }
    }
    Integer largest = points.size() < 2 ? null : points.get(points.size() - 1).batch();
    return new CriticalBatch(reference, null, largest);
  }

  /** The batch size, infinite if it lies above what was measured, NaN if nothing is known. */
  double value() {
    return batch != null ? batch : above != null ? Double.POSITIVE_INFINITY : Double.NaN;
  }

  /** Steps with the i-th batch size, as a multiple of perfect scaling. */
  static double excess(List<Point> points, int i) {
    return points.get(i).examples() / points.get(0).examples();
  }

  /** In words. */
  String describe() {
    if (batch == null && above == null) {
      return "unknown";
    }
    String value = batch != null ? "about %.0f".formatted(batch) : "above " + above;
    return "%s, from batch size %d on".formatted(value, reference);
  }
}
