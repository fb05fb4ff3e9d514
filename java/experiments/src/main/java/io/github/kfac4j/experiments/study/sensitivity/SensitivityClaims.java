package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.study.report.Interval;
import io.github.kfac4j.experiments.study.report.Verdict;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.trial.Length;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What a grid says of the claims of Ma et al. (2019), of K-FAC. */
public final class SensitivityClaims {
  private static final int RESAMPLES = 2000;

  private final List<Region> regions;
  private final StoredStudy study;

  private SensitivityClaims(List<Region> regions, StoredStudy study) {
    this.regions = regions;
    this.study = study;
  }

  /** Of a study. */
  public static List<Verdict> of(StoredStudy study) {
    List<Region> kfac =
        Region.of(study.results()).stream()
            .filter(region -> region.optimizer().toString().equals("kfac"))
            .toList();
    SensitivityClaims claims = new SensitivityClaims(kfac, study);
    List<Verdict> verdicts = new ArrayList<>();
    verdicts.add(
        Verdict.below(
            "Ma et al.: at equal epochs larger batches have a smaller good region",
            0,
            claims.trend(Length.Unit.EPOCHS),
            "change of its part with each doubling of the batch:"));
    verdicts.add(
        Verdict.above(
            "Ma et al.: at equal iterations larger batches have a larger good region",
            0,
            claims.trend(Length.Unit.STEPS),
            "change of its part with each doubling of the batch:"));
    for (Region region : kfac) {
      verdicts.add(
          Verdict.above(
              "Ma et al.: good learning rates and dampings correlate, batch " + region.batch(),
              0,
              coupling(region),
              "correlation of the logarithms:"));
    }
    return verdicts;
  }

  /**
   * The slope of the good part of the grid over the logarithm of the batch size, by resampling the
   * cells of every grid; null if trials do not run to the end of such a length.
   */
  private Interval trend(Length.Unit unit) {
    List<Horizon> horizons =
        study.settings().budget().lengths().stream()
            .filter(length -> length.unit() == unit)
            .map(length -> new Horizon(length, study.images()))
            .toList();
    if (!study.settings().runToEnd() || horizons.isEmpty() || regions.size() < 2) {
      return null;
    }
    Random random = new Random(0);
    double[] slopes = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      slopes[i] = slope(horizons.get(0), random);
    }
    return Interval.of(slopes);
  }

  private double slope(Horizon horizon, Random random) {
    double meanX = regions.stream().mapToDouble(r -> log2(r.batch())).average().orElseThrow();
    double xx = 0;
    double xy = 0;
    for (Region region : regions) {
      int cells = region.results().size();
      int good = 0;
      for (int k = 0; k < cells; k++) {
        boolean one = horizon.good(region.results().get(random.nextInt(cells)), study.settings());
        good += one ? 1 : 0;
      }
      double x = log2(region.batch()) - meanX;
      xx += x * x;
      xy += x * good / cells;
    }
    return xy / xx;
  }

  private static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }

  /** Fisher's interval of a correlation; null of fewer than four points. */
  private static Interval coupling(Region region) {
    Double r = region.coupling();
    int n = region.reached().size();
    if (r == null || n < 4) {
      return null;
    }
    double z = 0.5 * Math.log((1 + r) / (1 - r));
    double half = 1.96 / Math.sqrt(n - 3);
    return new Interval(Math.tanh(z - half), Math.tanh(z + half));
  }
}
