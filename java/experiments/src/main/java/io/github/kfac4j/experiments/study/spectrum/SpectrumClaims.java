package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.study.report.Interval;
import io.github.kfac4j.experiments.study.report.Verdict;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What spectra say of the claims of Zhang et al. (2019). The intervals are the range over the
 * snapshots of one training, which is all that is known of their spread.
 */
final class SpectrumClaims {
  /** An exponent is close to what is claimed within a quarter of it. */
  private static final double CLOSE = 0.25;

  private SpectrumClaims() {}

  static List<Verdict> of(SpectrumTables tables) {
    return List.of(
        Verdict.between(
            "Zhang et al.: the spectrum of the Fisher is close to 1/i (exponent within 0.25)",
            -1 - CLOSE,
            -1 + CLOSE,
            range(tables, RankedSpectrum::slope),
            "exponent of the rank, over the snapshots:"),
        Verdict.between(
            "Zhang et al.: gradient variance is close to curvature (exponent within 0.25)",
            1 - CLOSE,
            1 + CLOSE,
            range(tables, s -> Direction.slope(tables.directions(s.step()))),
            "exponent of the curvature, over the snapshots:"));
  }

  private static Interval range(SpectrumTables tables, ToDoubleFunction<RankedSpectrum> value) {
    double[] values = tables.spectra().stream().mapToDouble(value).sorted().toArray();
    return new Interval(values[0], values[values.length - 1]);
  }
}
