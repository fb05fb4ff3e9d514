package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.report.OptimizerColors;
import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.report.Picture;
import io.github.kfac4j.experiments.study.trial.Digits;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** The figures of a study of batch sizes; both axes are logarithmic. */
final class ScalingPlot {
  private static final String BATCH = "batch size";

  private ScalingPlot() {}

  /** Those for which there is something to show, steps to the goal first. */
  static List<Picture> pictures(List<ScalingCurve> all, String title) {
    List<ScalingCurve> curves = all.stream().filter(curve -> !curve.points().isEmpty()).toList();
    if (curves.isEmpty()) {
      return List.of();
    }
    List<Picture> pictures = new ArrayList<>();
    pictures.add(Picture.of("batch-size", title, List.of(steps(title, curves))));
    List<ScalingCurve> averaged = withAverages(curves);
    if (!averaged.isEmpty()) {
      String heading = "Averaged weights beside the last ones";
      pictures.add(Picture.of("averages", heading, List.of(steps(heading, averaged))));
    }
    pictures.add(Picture.of("speed-up", "Speed-up over the smallest batch size", speedUp(curves)));
    pictures.add(Picture.of("learning-rates", "Best learning rates", rates(curves)));
    List<Panel> validation = ValidationPlot.panels(curves);
    if (!validation.isEmpty()) {
      pictures.add(Picture.of("validation", "Validation in the best trials", validation));
    }
    return pictures;
  }

  /** Steps to the goal, with perfect scaling beside each (Zhang et al., 2019, figures 5 and 8). */
  private static Panel steps(String title, List<ScalingCurve> scaling) {
    List<Curve> curves = new ArrayList<>();
    for (ScalingCurve one : scaling) {
      curves.add(line(one, one.optimizer().title(), Point::steps));
      double examples = one.points().get(0).examples();
      curves.add(ideal(one, p -> examples / p.batch()));
    }
    double[] ends = ends(points(scaling).map(Point::steps));
    return new Panel(
        title,
        batches(scaling),
        Panel.Axis.log2("steps to the goal").within(ends[0], ends[1]),
        Panel.Corner.NORTH_EAST,
        curves);
  }

  /** Optimizers that were run with and without averaged weights, both of each. */
  private static List<ScalingCurve> withAverages(List<ScalingCurve> curves) {
    List<StudyOptimizer> all = curves.stream().map(ScalingCurve::optimizer).toList();
    return curves.stream()
        .filter(
            curve -> {
              StudyOptimizer own = curve.optimizer();
              return all.contains(new StudyOptimizer(own.rule(), own.momentum(), !own.averaged()));
            })
        .toList();
  }

  /** How many times fewer steps; the ideal line, and the exponents of steps ~ batch^-s. */
  private static List<Panel> speedUp(List<ScalingCurve> scaling) {
    List<Curve> curves = new ArrayList<>();
    for (ScalingCurve one : scaling) {
      double first = one.points().get(0).steps();
      Double exponent = Double.isNaN(one.exponent()) ? null : Double.valueOf(one.exponent());
      String name =
          exponent == null
              ? one.optimizer().title()
              : "%s, s = %s".formatted(one.optimizer().title(), Digits.significant(exponent, 2));
      curves.add(line(one, name, p -> first / p.steps()));
    }
    ScalingCurve longest =
        scaling.stream().max((a, b) -> a.points().size() - b.points().size()).orElseThrow();
    double smallest = longest.points().get(0).batch();
    double[] x = xs(longest);
    double[] y = longest.points().stream().mapToDouble(p -> p.batch() / smallest).toArray();
    curves.add(new Curve("ideal", x, y, Color.BLACK, Curve.Stroke.DASHED, false));
    double[] ends = ends(Stream.of(1.0, y[y.length - 1]));
    return List.of(
        new Panel(
            "Speed-up",
            batches(scaling),
            Panel.Axis.log2("times fewer steps").within(ends[0], ends[1]),
            Panel.Corner.NORTH_WEST,
            curves));
  }

  /** The best learning rate, and what momentum makes of it (Zhang et al., 2019, figure 7). */
  private static List<Panel> rates(List<ScalingCurve> scaling) {
    return List.of(
        rates("learning rate", scaling, Tuning::learningRate),
        rates("effective: learning rate / (1 - momentum)", scaling, Tuning::effectiveRate));
  }

  private static Panel rates(
      String label, List<ScalingCurve> scaling, ToDoubleFunction<Tuning> rate) {
    List<Curve> curves = new ArrayList<>();
    for (ScalingCurve one : scaling) {
      List<Tuning> found = one.tunings().stream().filter(t -> t.best() != null).toList();
      curves.add(
          Curve.solid(
              one.optimizer().title(),
              found.stream().mapToDouble(Tuning::batch).toArray(),
              found.stream().mapToDouble(rate).toArray(),
              color(one.optimizer())));
    }
    double[] ends =
        ends(
            scaling.stream()
                .flatMap(s -> s.tunings().stream())
                .filter(t -> t.best() != null)
                .map(rate::applyAsDouble));
    return new Panel(
        "",
        batches(scaling),
        Panel.Axis.log2(label).within(ends[0], ends[1]),
        Panel.Corner.NORTH_WEST,
        curves);
  }

  private static Stream<Point> points(List<ScalingCurve> scaling) {
    return scaling.stream().flatMap(curve -> curve.points().stream());
  }

  private static Panel.Axis batches(List<ScalingCurve> scaling) {
    double[] ends =
        ends(scaling.stream().flatMap(s -> s.tunings().stream()).map(t -> (double) t.batch()));
    return Panel.Axis.log2(BATCH).within(ends[0], ends[1]);
  }

  private static double[] xs(ScalingCurve curve) {
    return curve.points().stream().mapToDouble(Point::batch).toArray();
  }

  private static Curve line(ScalingCurve curve, String name, ToDoubleFunction<Point> y) {
    double[] ys = curve.points().stream().mapToDouble(y).toArray();
    return Curve.solid(name, xs(curve), ys, color(curve.optimizer()));
  }

  /** Pale and broken. */
  private static Curve ideal(ScalingCurve curve, ToDoubleFunction<Point> y) {
    double[] ys = curve.points().stream().mapToDouble(y).toArray();
    Color color = color(curve.optimizer());
    Color pale = new Color(color.getRed(), color.getGreen(), color.getBlue(), 110);
    return new Curve(null, xs(curve), ys, pale, Curve.Stroke.DASHED, false);
  }

  /** That of its rule; paler without momentum, darker with averaged weights. */
  static Color color(StudyOptimizer optimizer) {
    Color color = OptimizerColors.of(optimizer.rule());
    Color shade = optimizer.momentum() ? color : Palette.mixed(color, Color.WHITE);
    return optimizer.averaged() ? Palette.mixed(shade, Color.BLACK) : shade;
  }

  /** The powers of two around the values. */
  private static double[] ends(Stream<Double> values) {
    double[] sorted = values.mapToDouble(Double::doubleValue).sorted().toArray();
    double low = Math.floor(Math.log(sorted[0]) / Math.log(2));
    double high = Math.ceil(Math.log(sorted[sorted.length - 1]) / Math.log(2));
    return new double[] {Math.pow(2, low), Math.pow(2, Math.max(high, low + 1))};
  }
}
