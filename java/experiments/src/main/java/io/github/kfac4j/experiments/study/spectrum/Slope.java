package io.github.kfac4j.experiments.study.spectrum;

import java.util.List;

/** A line through points by least squares. */
final class Slope {
  private Slope() {}

  /** Its slope; NaN if there are fewer than two abscissae. */
  static double of(List<double[]> points) {
    double meanX = points.stream().mapToDouble(p -> p[0]).average().orElse(0);
    double meanY = points.stream().mapToDouble(p -> p[1]).average().orElse(0);
    double xx = 0;
    double xy = 0;
    for (double[] p : points) {
      xx += (p[0] - meanX) * (p[0] - meanX);
      xy += (p[0] - meanX) * (p[1] - meanY);
    }
    return xx > 0 ? xy / xx : Double.NaN;
  }
}
