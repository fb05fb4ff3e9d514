package io.github.kfac4j.testkit.checks;

import java.util.Comparator;
import java.util.List;

/** An error, and the largest that passes. */
record Measured(double error, double tolerance) {
  /** The one whose error is the largest part of its tolerance; one that is NaN is the worst. */
  static Measured worst(List<Measured> all) {
    return all.stream().max(Comparator.comparingDouble(m -> m.error / m.tolerance)).orElseThrow();
  }
}
