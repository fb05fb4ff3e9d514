package io.github.kfac4j.experiments.study.scaling;

import io.github.kfac4j.experiments.AssignmentRule;
import io.github.kfac4j.experiments.plot.Png;
import java.awt.Color;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Iteration time against the number of ranks, both axes logarithmic. */
final class ScalingChart {
  /** Distinguishable for colour-blind readers (Okabe and Ito). */
  private static final Color[] COLORS = {
    new Color(0xD55E00), new Color(0x009E73), new Color(0x0072B2), new Color(0x6B7280)
  };

  private ScalingChart() {}

  /** The content of a PNG file. */
  static byte[] png(List<Prediction> predictions) {
    XYChart chart =
        new XYChartBuilder()
            .width(1100)
            .height(700)
            .title("ResNet-50, 107 layers: one iteration of layer-parallel K-FAC (predicted)")
            .xAxisTitle("ranks")
            .yAxisTitle("seconds")
            .build();
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(LegendPosition.InsideNE);
    int color = 0;
    for (AssignmentRule rule : AssignmentRule.values()) {
      List<Prediction> part =
          predictions.stream().filter(p -> p.assignment().equals(rule.toString())).toList();
      add(chart, rule + " layers", part, Prediction::seconds, COLORS[color++]);
    }
    List<Prediction> network =
        predictions.stream()
            .filter(p -> p.ranks() > 1)
            .filter(p -> p.assignment().equals(AssignmentRule.BALANCED.toString()))
            .toList();
    add(chart, "of it network", network, Prediction::network, COLORS[color]);
    return Png.of(BitmapEncoder.getBufferedImage(chart));
  }

  private static void add(
      XYChart chart,
      String name,
      List<Prediction> predictions,
      ToDoubleFunction<Prediction> value,
      Color color) {
    double[] x = predictions.stream().mapToDouble(Prediction::ranks).toArray();
    double[] y = predictions.stream().mapToDouble(value).toArray();
    XYSeries series = chart.addSeries(name, x, y);
    series.setMarker(SeriesMarkers.CIRCLE);
    series.setLineColor(color);
    series.setMarkerColor(color);
  }
}
