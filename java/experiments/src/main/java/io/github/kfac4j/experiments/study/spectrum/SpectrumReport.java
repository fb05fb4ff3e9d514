package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeClaims.Critical;
import io.github.kfac4j.experiments.study.report.Picture;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.trial.Digits;
import java.awt.Color;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Spectra in words and figures.
 *
 * @param predicted critical batch sizes; none without a goal
 * @param measured those of a study beside them; none without one
 */
record SpectrumReport(
    SpectrumTables tables, List<PredictedBatch> predicted, List<Critical> measured) {

  StudyReport of(String title) {
    List<Picture> pictures = new ArrayList<>();
    pictures.add(Picture.of("spectra", "Eigenvalues of K-FAC's Fisher", List.of(spectra())));
    pictures.add(
        Picture.of("directions", "Gradient variance against curvature", List.of(directions())));
    if (PredictedBatch.known(predicted).findAny().isPresent()) {
      pictures.add(
          Picture.of(
              "predicted", "Critical batch sizes, predicted and measured", List.of(critical())));
    }
    return new StudyReport(title, findings(), pictures, table(), method(), tree());
  }

  private List<RankedSpectrum> all() {
    return tables.spectra();
  }

  private List<String> findings() {
    List<String> findings = new ArrayList<>();
    for (RankedSpectrum s : all()) {
      List<Direction> own = tables.directions(s.step());
      findings.add(
          "After %d steps: eigenvalue ~ rank^%s; variance ~ curvature^%s, correlation of the logarithms %s."
              .formatted(
                  s.step(),
                  Digits.significant(s.slope(), 3),
                  Digits.significant(Direction.slope(own), 3),
                  Digits.significant(Direction.correlation(own), 3)));
    }
    return findings;
  }

  /** Zhang et al. (2019), figures 9 and 12. */
  private Panel spectra() {
    List<Curve> curves = new ArrayList<>();
    for (int i = 0; i < all().size(); i++) {
      RankedSpectrum s = all().get(i);
      double top = s.points().get(0).eigenvalue();
      List<RankedSpectrum.Point> positive =
          s.points().stream().filter(p -> p.eigenvalue() > 1e-9 * top).toList();
      curves.add(
          new Curve(
              "step " + s.step(),
              positive.stream().mapToDouble(RankedSpectrum.Point::rank).toArray(),
              positive.stream().mapToDouble(RankedSpectrum.Point::eigenvalue).toArray(),
              Palette.ordered(i, all().size()),
              Curve.Stroke.SOLID,
              false));
    }
    RankedSpectrum last = all().get(all().size() - 1);
    double top = last.points().get(0).eigenvalue();
    double[] x = {1, Math.max(2, last.dimension() / 10.0)};
    curves.add(
        new Curve(
            "1/rank", x, new double[] {top, top / x[1]}, Color.BLACK, Curve.Stroke.DASHED, false));
    return new Panel(
        "",
        Panel.Axis.log2("rank"),
        Panel.Axis.log2("eigenvalue"),
        Panel.Corner.SOUTH_WEST,
        curves);
  }

  /** Zhang et al. (2019), figure 10, of the last snapshot: means of directions of one size. */
  private Panel directions() {
    List<Curve> curves = new ArrayList<>();
    for (int i = 0; i < all().size(); i++) {
      List<double[]> means = means(tables.directions(all().get(i).step()));
      if (means.size() > 1) {
        curves.add(
            Curve.solid(
                "step " + all().get(i).step(),
                means.stream().mapToDouble(m -> m[0]).toArray(),
                means.stream().mapToDouble(m -> m[1]).toArray(),
                Palette.ordered(i, all().size())));
      }
    }
    double[] ends = curves.stream().flatMapToDouble(c -> Arrays.stream(c.x())).toArray();
    double low = Arrays.stream(ends).min().orElse(0.5);
    double high = Arrays.stream(ends).max().orElse(1);
    double[] line = {low, high};
    curves.add(new Curve("equal", line, line, Color.BLACK, Curve.Stroke.DASHED, false));
    return new Panel(
        "",
        Panel.Axis.log2("curvature v'Fv"),
        Panel.Axis.log2("variance v'Cv"),
        Panel.Corner.NORTH_WEST,
        curves);
  }

  /** Geometric means of both axes over twenty groups of equal size. */
  private static List<double[]> means(List<Direction> directions) {
    List<Direction> positive =
        directions.stream().filter(d -> d.curvature() > 0 && d.variance() > 0).toList();
    int groups = Math.min(20, positive.size());
    List<double[]> means = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      List<Direction> own =
          positive.subList(g * positive.size() / groups, (g + 1) * positive.size() / groups);
      means.add(
          new double[] {
            Math.exp(own.stream().mapToDouble(d -> Math.log(d.curvature())).average().orElse(0)),
            Math.exp(own.stream().mapToDouble(d -> Math.log(d.variance())).average().orElse(0))
          });
    }
    return means;
  }

  private Panel critical() {
    List<Curve> curves = new ArrayList<>();
    Map<String, List<PredictedBatch>> byOptimizer = new LinkedHashMap<>();
    PredictedBatch.known(predicted)
        .forEach(
            p ->
                byOptimizer
                    .computeIfAbsent(p.optimizer().toString(), key -> new ArrayList<>())
                    .add(p));
    int i = 0;
    double end = all().get(all().size() - 1).step();
    for (List<PredictedBatch> own : byOptimizer.values()) {
      Color color = Palette.category(i++);
      String name = own.get(0).optimizer().title();
      curves.add(
          Curve.solid(
              name + ", predicted",
              own.stream().mapToDouble(PredictedBatch::step).toArray(),
              own.stream().mapToDouble(PredictedBatch::batch).toArray(),
              color));
      for (Critical one : measured) {
        if (one.optimizer().equals(own.get(0).optimizer()) && Double.isFinite(one.batch())) {
          curves.add(
              new Curve(
                  name + ", measured",
                  new double[] {all().get(0).step(), end},
                  new double[] {one.batch(), one.batch()},
                  color,
                  Curve.Stroke.DASHED,
                  false));
        }
      }
    }
    return new Panel(
        "",
        Panel.Axis.linear("steps before the spectrum"),
        Panel.Axis.log2("critical batch size"),
        Panel.Corner.NORTH_EAST,
        curves);
  }

  private List<List<String>> table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("optimizer", "step", "predicted critical batch", "measured", "interval"));
    for (PredictedBatch p : predicted) {
      Critical found =
          measured.stream()
              .filter(m -> m.optimizer().equals(p.optimizer()))
              .findFirst()
              .orElse(null);
      rows.add(
          List.of(
              p.optimizer().title(),
              Long.toString(p.step()),
              number(p.batch()),
              found == null ? "–" : number(found.batch()),
              found == null || found.interval() == null ? "–" : found.interval().describe(3)));
    }
    return rows;
  }

  private static String number(double value) {
    return Double.isNaN(value)
        ? "–"
        : Double.isInfinite(value) ? "above all measured" : Digits.significant(value, 3);
  }

  private static List<String> method() {
    return List.of(
        "Eigenvalues: all products of an eigenvalue of A and one of G, of all layers together, the"
            + " largest has rank 1. The exponent is fitted by least squares from rank 10 to a tenth of"
            + " the dimension.",
        "Curvature and variance along the eigenvectors of K-FAC's factors: of the Fisher, exactly, and"
            + " of the covariance of gradients, both over the same training images.",
        PredictedBatch.METHOD);
  }

  private Object tree() {
    List<Map<String, Object>> nodes = new ArrayList<>();
    for (RankedSpectrum s : all()) {
      Map<String, Object> node = new LinkedHashMap<>();
      node.put("step", s.step());
      node.put("loss", s.loss());
      node.put("dimension", s.dimension());
      node.put("slope", s.slope());
      node.put("variance_slope", Direction.slope(tables.directions(s.step())));
      Map<String, Object> batches = new LinkedHashMap<>();
      predicted.stream()
          .filter(p -> p.step() == s.step())
          .forEach(
              p ->
                  batches.put(
                      p.optimizer().toString(), Double.isFinite(p.batch()) ? p.batch() : null));
      node.put("predicted_critical_batch", batches);
      nodes.add(node);
    }
    return nodes;
  }
}
