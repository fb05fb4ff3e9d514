package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.awt.BasicStroke;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** How many times as long the peers take: a row for each case, a mark for each peer. */
final class RatioChart {
  private RatioChart() {}

  /** The chart, or null if there was no peer. */
  static XYChart of(Results results) {
    List<Measurement> rows =
        results.measurements().stream()
            .filter(m -> m.pairs().get(0).peer() != null && !m.verb().equals(Case.TRAINING))
            .toList();
    if (rows.isEmpty()) {
      return null;
    }
    XYChart chart =
        new XYChartBuilder()
            .width(960)
            .height(150 + 24 * rows.size())
            .title("Time of the peers over ours, median of the pairs")
            .xAxisTitle("times as long as kfac4j")
            .build();
    Style.apply(chart.getStyler());
    chart.getStyler().setMarkerSize(9);
    chart.getStyler().setYAxisMin(-0.7).setYAxisMax(rows.size() - 0.3);
    chart.getStyler().setYAxisTickMarkSpacingHint(12);
    chart.getStyler().setXAxisTickMarkSpacingHint(45);
    chart.getStyler().setxAxisTickLabelsFormattingFunction(x -> x == Math.rint(x) ? power(x) : " ");
    chart
        .getStyler()
        .setyAxisTickLabelsFormattingFunction(y -> y == Math.rint(y) ? row(rows, y) : " ");
    XYSeries one =
        chart.addSeries("kfac4j", new double[] {0, 0}, new double[] {-0.7, rows.size() - 0.3});
    one.setMarker(SeriesMarkers.NONE);
    one.setLineColor(Style.color("cpu"));
    one.setLineStyle(new BasicStroke(2.6f));
    for (String peer : Style.contenders()) {
      marks(chart, rows, peer);
    }
    return chart;
  }

  private static String power(double log2) {
    return log2 >= 0
        ? Long.toString(Math.round(Math.pow(2, log2)))
        : "1/" + Math.round(Math.pow(2, -log2));
  }

  /** Rows are numbered from the bottom. */
  private static String row(List<Measurement> rows, double y) {
    int index = rows.size() - 1 - (int) y;
    if (index < 0 || index >= rows.size()) {
      return " ";
    }
    Measurement m = rows.get(index);
    String own = m.pairs().get(0).own().equals("java") ? ", pure Java" : "";
    return Names.verb(m.verb()) + ", " + m.name() + own;
  }

  private static void marks(XYChart chart, List<Measurement> rows, String peer) {
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      for (Pairs p : rows.get(i).pairs()) {
        if (peer.equals(p.peer())) {
          x.add(Math.log(p.ratio()) / Math.log(2));
          y.add((double) (rows.size() - 1 - i));
        }
      }
    }
    if (!x.isEmpty()) {
      XYSeries series = chart.addSeries(Style.label(peer), x, y);
      series.setLineColor(new Color(0, 0, 0, 0));
      series.setMarker(peer.startsWith("libtorch") ? SeriesMarkers.DIAMOND : SeriesMarkers.CIRCLE);
      series.setMarkerColor(Style.color(peer));
    }
  }
}
