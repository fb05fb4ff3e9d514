package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.curvature.CurvatureSnapshot;
import io.github.kfac4j.experiments.curvature.LayerCurvature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The eigenvalues of K-FAC's Fisher after some steps, those of all layers together.
 *
 * @param step how many steps
 * @param loss of the batch then
 * @param dimension how many eigenvalues there are
 * @param sum of all of them
 * @param points some of them, by rank
 */
record RankedSpectrum(long step, double loss, long dimension, double sum, List<Point> points) {
  /** Ranks that are kept, at equal distances of their logarithms. */
  private static final int MAX_RANKS = 100;

  /** Where the slope is fitted: from this rank on, to a tenth of the dimension. */
  private static final int FIRST = 10;

  /** An eigenvalue; the largest has rank 1. */
  record Point(long rank, double eigenvalue) {}

  static RankedSpectrum of(CurvatureSnapshot snapshot) {
    double[] ascending =
        snapshot.layers().stream().flatMapToDouble(RankedSpectrum::eigenvalues).sorted().toArray();
    int n = ascending.length;
    List<Point> points = new ArrayList<>();
    long last = 0;
    for (int i = 0; i < MAX_RANKS; i++) {
      long rank = Math.round(Math.pow(n, (double) i / (MAX_RANKS - 1)));
      if (rank > last) {
        points.add(new Point(rank, ascending[n - (int) rank]));
        last = rank;
      }
    }
    return new RankedSpectrum(
        snapshot.step(), snapshot.loss(), n, Arrays.stream(ascending).sum(), points);
  }

  private static DoubleStream eigenvalues(LayerCurvature layer) {
    return IntStream.range(0, layer.size()).mapToDouble(layer::eigenvalue);
  }

  /** The slope of log eigenvalue over log rank by least squares; -1 is the spectrum 1/i. */
  double slope() {
    return Slope.of(
        points.stream()
            .filter(p -> p.rank() >= FIRST && p.rank() <= dimension / 10 && p.eigenvalue() > 0)
            .map(p -> new double[] {Math.log(p.rank()), Math.log(p.eigenvalue())})
            .toList());
  }

  /**
   * As the noisy quadratic model reads it: eigenvalues and how many coordinates share each, those
   * between two kept ranks at the geometric mean of both. Scaled so that the risk of the model's
   * start is the loss; gradient noise is as large as curvature.
   */
  String text() {
    double scale = 2 * loss / sum;
    StringBuilder text =
        new StringBuilder(
            "# K-FAC's Fisher after %d steps: %,d eigenvalues, times %.6g so that the risk of the start is the loss %.4f%n"
                .formatted(step, dimension, scale, loss));
    text.append("# eigenvalue,count\n");
    line(text, points.get(0).eigenvalue() * scale, 1);
    for (int i = 1; i < points.size(); i++) {
      Point before = points.get(i - 1);
      Point here = points.get(i);
      line(
          text,
          Math.sqrt(before.eigenvalue() * here.eigenvalue()) * scale,
          here.rank() - before.rank());
    }
    return text.toString();
  }

  /** Without what round-off has made of zeros. */
  private void line(StringBuilder text, double eigenvalue, long count) {
    if (eigenvalue > 1e-9 * points.get(0).eigenvalue() * 2 * loss / sum) {
      text.append(String.format(Locale.ROOT, "%.6g,%d%n", eigenvalue, count));
    }
  }
}
