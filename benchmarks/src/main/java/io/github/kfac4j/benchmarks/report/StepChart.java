package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.awt.Color;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;

/** The time of a whole update, split by verb. */
final class StepChart {
  private static final List<String> PARTS = List.of("factors", "inverses", "preconditioning");
  private static final Color[] COLORS = {
    new Color(0x0072B2), new Color(0xE69F00), new Color(0x009E73)
  };

  private StepChart() {}

  /** The chart, or null if no update was measured. */
  static CategoryChart of(Results results) {
    Map<String, Map<String, Double>> bars = bars(results);
    if (bars.isEmpty()) {
      return null;
    }
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(900)
            .height(520)
            .title("One K-FAC update of the Simple CNN (kfac-pytorch inverts as it preconditions)")
            .yAxisTitle("milliseconds")
            .build();
    Style.apply(chart.getStyler());
    chart.getStyler().setStacked(true);
    chart.getStyler().setAvailableSpaceFill(0.5);
    chart.getStyler().setPlotGridVerticalLinesVisible(false);
    chart.getStyler().setYAxisDecimalPattern("#,##0");
    chart.getStyler().setXAxisLabelRotation(20);
    List<String> names = List.copyOf(bars.keySet());
    for (int i = 0; i < PARTS.size(); i++) {
      String part = PARTS.get(i);
      List<Double> values = new ArrayList<>();
      bars.values().forEach(parts -> values.add(parts.getOrDefault(part, 0.0)));
      chart.addSeries(part, names, values).setFillColor(COLORS[i]);
    }
    return chart;
  }

  /** Milliseconds by part, by contender and case. */
  private static Map<String, Map<String, Double>> bars(Results results) {
    Map<String, Map<String, Double>> bars = new LinkedHashMap<>();
    for (Measurement m : results.measurements()) {
      if (!m.verb().equals(Case.STEP)) {
        continue;
      }
      String batch = m.name().replaceAll(".*, ", ", ");
      for (Pairs p : m.pairs()) {
        bars.putIfAbsent(Style.label(p.own()) + batch, scaled(p.ownParts(), p.ownSeconds()));
        if (p.peerParts() != null && !p.peerParts().isEmpty()) {
          bars.put(Style.label(p.peer()) + batch, scaled(p.peerParts(), p.peerSeconds()));
        }
      }
    }
    return bars;
  }

  /** The parts of one run in proportion, the sum being the median of all runs. */
  private static Map<String, Double> scaled(Map<String, Double> parts, List<Double> seconds) {
    double sum = parts.values().stream().mapToDouble(Double::doubleValue).sum();
    Map<String, Double> scaled = new LinkedHashMap<>();
    parts.forEach((part, value) -> scaled.put(part, 1e3 * value / sum * Pairs.median(seconds)));
    return scaled;
  }
}
