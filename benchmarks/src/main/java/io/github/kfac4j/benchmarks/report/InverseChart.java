package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.awt.BasicStroke;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The rate of one damped inverse against its size, under the rate of a matrix product. */
final class InverseChart {
  private InverseChart() {}

  /** The chart, or null if no single inverse was measured. */
  static XYChart of(Results results) {
    Map<String, TreeMap<Integer, Double>> rates = rates(results);
    if (rates.isEmpty()) {
      return null;
    }
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(520)
            .title("Damped inverse of one n x n matrix, fp32")
            .xAxisTitle("n")
            .yAxisTitle("GFLOP/s, n³ operations")
            .build();
    Style.apply(chart.getStyler());
    chart.getStyler().setYAxisLogarithmic(true);
    chart.getStyler().setMarkerSize(7);
    chart.getStyler().setxAxisTickLabelsFormattingFunction(Style::powerOfTwo);
    double first = 1e9;
    double last = 0;
    for (String name : Style.contenders()) {
      TreeMap<Integer, Double> points = rates.get(name);
      if (points != null) {
        line(chart, name, points);
        first = Math.min(first, Style.log2(points.firstKey()));
        last = Math.max(last, Style.log2(points.lastKey()));
      }
    }
    chart.getStyler().setXAxisMin(first - 0.2).setXAxisMax(last + 0.2);
    chart.getStyler().setXAxisTickMarkSpacingHint(Style.spacing(620, 1, last - first + 0.4));
    if (results.gemmGflops() > 0) {
      double[] ends = {first, last};
      double[] rate = {results.gemmGflops(), results.gemmGflops()};
      XYSeries ceiling = chart.addSeries("product (OpenBLAS)", ends, rate);
      ceiling.setMarker(SeriesMarkers.NONE);
      ceiling.setLineColor(Style.INK);
      ceiling.setLineStyle(dashed());
    }
    return chart;
  }

  private static void line(XYChart chart, String name, TreeMap<Integer, Double> points) {
    double[] x = points.keySet().stream().mapToDouble(Style::log2).toArray();
    double[] y = points.values().stream().mapToDouble(Double::doubleValue).toArray();
    XYSeries series = chart.addSeries(Style.label(name), x, y);
    boolean ours = Style.label(name).startsWith("kfac4j");
    series.setLineColor(Style.color(name));
    series.setLineStyle(
        new BasicStroke(ours ? 3.4f : 1.8f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    series.setMarker(Style.marker(name));
    series.setMarkerColor(Style.color(name));
  }

  private static BasicStroke dashed() {
    float[] dash = {7, 5};
    return new BasicStroke(1.6f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, dash, 0);
  }

  private static Map<String, TreeMap<Integer, Double>> rates(Results results) {
    Map<String, TreeMap<Integer, Double>> rates = new LinkedHashMap<>();
    for (Measurement m : results.measurements()) {
      if (!m.verb().equals(Case.INVERSE) || !m.name().startsWith("n=")) {
        continue;
      }
      int n = Integer.parseInt(m.name().substring(2));
      List<Double> own = new ArrayList<>();
      for (Pairs p : m.pairs()) {
        own.addAll(p.ownSeconds());
        if (p.peer() != null) {
          put(rates, p.peer(), n, m.flops() / Pairs.median(p.peerSeconds()));
        }
      }
      put(rates, m.pairs().get(0).own(), n, m.flops() / Pairs.median(own));
    }
    return rates;
  }

  private static void put(
      Map<String, TreeMap<Integer, Double>> rates, String name, int n, double flopsPerSecond) {
    rates.computeIfAbsent(name, key -> new TreeMap<>()).put(n, flopsPerSecond * 1e-9);
  }
}
