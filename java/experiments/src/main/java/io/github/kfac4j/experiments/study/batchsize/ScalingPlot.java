package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.plot.PanelChart;
import io.github.kfac4j.experiments.plot.Png;
import io.github.kfac4j.experiments.report.OptimizerColors;
import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.knowm.xchart.BitmapEncoder;

/** Steps to the goal against batch size, both logarithmic, with perfect scaling beside it. */
final class ScalingPlot {
  private static final int WIDTH = 1100;
  private static final int HEIGHT = 760;

  private ScalingPlot() {}

  /** A PNG file; null if no goal was reached. */
  static byte[] png(List<ScalingCurve> scaling, String title) {
    List<Curve> curves = new ArrayList<>();
    for (ScalingCurve one : scaling) {
      List<Point> points = one.points();
      if (!points.isEmpty()) {
        double[] batches = points.stream().mapToDouble(Point::batch).toArray();
        double[] steps = points.stream().mapToDouble(Point::steps).toArray();
        Color color = color(one.optimizer());
        curves.add(Curve.solid(one.optimizer().title(), batches, steps, color));
        curves.add(perfect(points, color));
      }
    }
    if (curves.isEmpty()) {
      return null;
    }
    double[] steps = ends(scaling.stream().flatMap(s -> s.points().stream()).map(Point::steps));
    double[] batches =
        ends(scaling.stream().flatMap(s -> s.tunings().stream()).map(t -> (double) t.batch()));
    Panel panel =
        new Panel(
            title,
            Panel.Axis.log2("batch size").within(batches[0], batches[1]),
            Panel.Axis.log2("steps to the goal").within(steps[0], steps[1]),
            Panel.Corner.NORTH_EAST,
            curves);
    return Png.of(BitmapEncoder.getBufferedImage(PanelChart.of(panel, WIDTH, HEIGHT)));
  }

  /** That of its rule; paler without momentum, darker with averaged weights. */
  private static Color color(StudyOptimizer optimizer) {
    Color color = OptimizerColors.of(optimizer.rule());
    Color shade = optimizer.momentum() ? color : mixed(color, Color.WHITE);
    return optimizer.averaged() ? mixed(shade, Color.BLACK) : shade;
  }

  private static Color mixed(Color a, Color b) {
    return new Color(
        (3 * a.getRed() + 2 * b.getRed()) / 5,
        (3 * a.getGreen() + 2 * b.getGreen()) / 5,
        (3 * a.getBlue() + 2 * b.getBlue()) / 5);
  }

  /** Steps that fall as the batch size rises, from the smallest batch size on. */
  private static Curve perfect(List<Point> points, Color color) {
    double examples = points.get(0).examples();
    double[] batches = points.stream().mapToDouble(Point::batch).toArray();
    double[] steps = points.stream().mapToDouble(p -> examples / p.batch()).toArray();
    Color pale = new Color(color.getRed(), color.getGreen(), color.getBlue(), 110);
    return new Curve(null, batches, steps, pale, Curve.Stroke.DASHED, false);
  }

  /** The powers of two around the values. */
  private static double[] ends(Stream<Double> values) {
    double[] sorted = values.mapToDouble(Double::doubleValue).sorted().toArray();
    double low = Math.floor(Math.log(sorted[0]) / Math.log(2));
    double high = Math.ceil(Math.log(sorted[sorted.length - 1]) / Math.log(2));
    return new double[] {Math.pow(2, low), Math.pow(2, Math.max(high, low + 1))};
  }
}
