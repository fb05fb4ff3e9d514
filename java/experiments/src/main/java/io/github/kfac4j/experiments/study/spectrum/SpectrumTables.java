package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.study.search.CsvRows;
import io.github.kfac4j.experiments.study.trial.Digits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What was measured, as tables.
 *
 * @param spectra by step
 * @param directions by step, the largest curvature first
 */
record SpectrumTables(List<RankedSpectrum> spectra, List<Direction> directions) {
  static final String SNAPSHOTS = "snapshots.csv";
  static final String SPECTRUM = "spectrum.csv";
  static final String DIRECTIONS = "directions.csv";

  /** The inverse of the texts below. */
  static SpectrumTables read(Path folder) {
    List<CsvRows.Row> ranks = CsvRows.read(folder.resolve(SPECTRUM)).rows();
    List<RankedSpectrum> spectra = new ArrayList<>();
    for (CsvRows.Row row : CsvRows.read(folder.resolve(SNAPSHOTS)).rows()) {
      long step = row.whole("step");
      spectra.add(
          new RankedSpectrum(
              step,
              row.number("loss"),
              row.whole("dimension"),
              row.number("sum"),
              ranks.stream()
                  .filter(r -> r.whole("step") == step)
                  .map(r -> new RankedSpectrum.Point(r.whole("rank"), r.number("eigenvalue")))
                  .toList()));
    }
    List<Direction> directions =
        CsvRows.read(folder.resolve(DIRECTIONS)).rows().stream()
            .map(
                r ->
                    new Direction(
                        r.whole("step"),
                        r.text("layer"),
                        r.number("eigenvalue"),
                        r.number("curvature"),
                        r.number("variance")))
            .toList();
    return new SpectrumTables(spectra, directions);
  }

  String snapshots() {
    StringBuilder csv = new StringBuilder("step,loss,dimension,sum\n");
    for (RankedSpectrum s : spectra) {
      csv.append("%d,%s,%d,%s%n".formatted(s.step(), text(s.loss()), s.dimension(), text(s.sum())));
    }
    return csv.toString();
  }

  String spectrum() {
    StringBuilder csv = new StringBuilder("step,rank,eigenvalue\n");
    for (RankedSpectrum s : spectra) {
      for (RankedSpectrum.Point p : s.points()) {
        csv.append("%d,%d,%s%n".formatted(s.step(), p.rank(), text(p.eigenvalue())));
      }
    }
    return csv.toString();
  }

  String directionsCsv() {
    StringBuilder csv = new StringBuilder("step,layer,eigenvalue,curvature,variance\n");
    for (Direction d : directions) {
      csv.append(
          "%d,%s,%s,%s,%s%n"
              .formatted(
                  d.step(),
                  d.layer(),
                  text(d.eigenvalue()),
                  text(d.curvature()),
                  text(d.variance())));
    }
    return csv.toString();
  }

  private static String text(double value) {
    return Digits.significant(value, 6);
  }

  /** Those of one step. */
  List<Direction> directions(long step) {
    return directions.stream().filter(d -> d.step() == step).toList();
  }
}
