package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;

/**
 * The values of a metaparameter that are searched, uniformly in its logarithm; of a momentum in the
 * logarithm of 1 - momentum (Shallue et al., 2019).
 *
 * @param low the least value
 * @param high the largest; equal to {@code low} if nothing is searched
 */
public record Range(Metaparameter metaparameter, double low, double high) {
  /** The part of the range at each end that counts as its edge. */
  public static final double EDGE = 0.1;

  /**
   * Checks the ends.
   *
   * @throws BadInputException naming the option and the values
   */
  public Range {
    boolean momentum = metaparameter == Metaparameter.MOMENTUM;
    boolean valid = momentum ? low >= 0 && high < 1 : low > 0 && high < Double.POSITIVE_INFINITY;
    if (!valid || !(low <= high)) {
      throw new BadInputException(
          "%s must be a value or LOW:HIGH %s, got %s:%s"
              .formatted(metaparameter.option(), momentum ? "in [0, 1)" : "above 0", low, high));
    }
  }

  /** Reads {@code LOW:HIGH}, or one number for a fixed value. */
  public static Range parse(Metaparameter metaparameter, String text) {
    String[] ends = text.split(":", 2);
    double low = OptionText.number(metaparameter.option(), ends[0]);
    double high = ends.length == 1 ? low : OptionText.number(metaparameter.option(), ends[1]);
    return new Range(metaparameter, low, high);
  }

  /** Whether there is a single value. */
  public boolean fixed() {
    return low == high;
  }

  /** The value at a part of the way, from {@code low} at 0 to {@code high} at 1. */
  public double at(double part) {
    return metaparameter == Metaparameter.MOMENTUM
        ? 1 - (1 - low) * Math.pow((1 - high) / (1 - low), part)
        : low * Math.pow(high / low, part);
  }

  /** The inverse of {@link #at}. */
  double part(double value) {
    return metaparameter == Metaparameter.MOMENTUM
        ? Math.log((1 - value) / (1 - low)) / Math.log((1 - high) / (1 - low))
        : Math.log(value / low) / Math.log(high / low);
  }

  /**
   * The end of the range that a value is near, "low" or "high"; null if it is in the inner part.
   * Momentum 0 is no end: there is nothing behind it to search.
   */
  public String edge(double value) {
    if (fixed()) {
      return null;
    }
    double part = part(value);
    boolean natural = metaparameter == Metaparameter.MOMENTUM && low == 0;
    return part < EDGE && !natural ? "low" : part > 1 - EDGE ? "high" : null;
  }

  @Override
  public String toString() {
    String start = Digits.significant(low, 6);
    return fixed() ? start : start + ":" + Digits.significant(high, 6);
  }
}
