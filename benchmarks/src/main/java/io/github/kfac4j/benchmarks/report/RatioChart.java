package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.awt.BasicStroke;
import java.awt.Color;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** How many times as long the peers take: a row for each case, a mark for each peer. */
final class RatioChart {
  /** Pixels of a row. */
  private static final int ROW = 24;

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
            .height(150 + ROW * rows.size())
            .title("Time of the peers over ours, median of the pairs")
            .xAxisTitle("times as long as kfac4j")
            .build();
    style(chart.getStyler(), rows);
    double[] ends = {-0.7, rows.size() - 0.3};
    XYSeries one = chart.addSeries("kfac4j", new double[] {0, 0}, ends);
    one.setMarker(SeriesMarkers.NONE);
    one.setLineColor(Style.color("cpu"));
    one.setLineStyle(new BasicStroke(2.6f));
    for (String peer : Style.contenders()) {
      marks(chart, rows, peer);
    }
    return chart;
  }

  private static void style(XYStyler style, List<Measurement> rows) {
    Style.apply(style);
    style.setMarkerSize(9);
    style.setYAxisMin(-0.7).setYAxisMax(rows.size() - 0.3);
    style.setYAxisTickMarkSpacingHint(Style.spacing(ROW * rows.size(), 1, rows.size() + 0.4));
    style.setyAxisTickLabelsFormattingFunction(y -> row(rows, y));
    double[] logs =
        rows.stream()
            .flatMap(m -> m.pairs().stream())
            .mapToDouble(p -> Style.log2(p.ratio()))
            .toArray();
    double low = Math.floor(Arrays.stream(logs).min().orElse(0)) - 0.2;
    double high = Math.ceil(Arrays.stream(logs).max().orElse(1)) + 0.2;
    style.setXAxisMin(Math.min(low, -0.2)).setXAxisMax(high);
    style.setXAxisTickMarkSpacingHint(Style.spacing(560, 1, high - Math.min(low, -0.2)));
    style.setxAxisTickLabelsFormattingFunction(Style::powerOfTwo);
  }

  /** Rows are numbered from the bottom. */
  private static String row(List<Measurement> rows, double y) {
    int index = rows.size() - 1 - (int) y;
    if (y != Math.rint(y) || index < 0 || index >= rows.size()) {
      return Style.blank(y);
    }
    Measurement m = rows.get(index);
    String own = Names.suffix(m.pairs().get(0).own());
    return Names.verb(m.verb()) + ", " + m.name() + own;
  }

  private static void marks(XYChart chart, List<Measurement> rows, String peer) {
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      for (Pairs p : rows.get(i).pairs()) {
        if (peer.equals(p.peer())) {
          x.add(Style.log2(p.ratio()));
          y.add((double) (rows.size() - 1 - i));
        }
      }
    }
    if (!x.isEmpty()) {
      XYSeries series = chart.addSeries(Style.label(peer), x, y);
      series.setLineColor(new Color(0, 0, 0, 0));
      series.setMarker(Style.marker(peer));
      series.setMarkerColor(Style.color(peer));
    }
  }
}
