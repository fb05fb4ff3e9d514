package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.plot.Png;
import io.github.kfac4j.experiments.train.History;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Training loss and validation against steps and against seconds, as one picture. */
final class Curves {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 470;

  /** Pixels per unit, so that the picture is sharp on any screen. */
  private static final int SCALE = 2;

  private static final Color INK = new Color(0x1F2937);
  private static final Color GRID = new Color(0xE5E7EB);

  private Curves() {}

  /** A PNG file. */
  static byte[] png(Map<OptimizerName, History> histories) {
    List<XYChart> charts =
        List.of(
            lossChart(histories, "steps", History.Step::step),
            lossChart(histories, "seconds", History.Step::seconds),
            validationChart(histories, "steps", History.Validation::step),
            validationChart(histories, "seconds", History.Validation::seconds));
    BufferedImage image =
        new BufferedImage(2 * WIDTH * SCALE, 2 * HEIGHT * SCALE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.scale(SCALE, SCALE);
    for (int i = 0; i < charts.size(); i++) {
      Graphics2D cell = (Graphics2D) graphics.create(i % 2 * WIDTH, i / 2 * HEIGHT, WIDTH, HEIGHT);
      charts.get(i).paint(cell, WIDTH, HEIGHT);
      cell.dispose();
    }
    graphics.dispose();
    return Png.of(image);
  }

  private static XYChart lossChart(
      Map<OptimizerName, History> histories, String unit, ToDoubleFunction<History.Step> x) {
    XYChart chart = chart("Training loss against " + unit, unit, "cross entropy");
    chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.1 * largestFirstLoss(histories));
    histories.forEach(
        (optimizer, history) -> {
          List<History.Step> finite =
              history.steps().stream().filter(s -> Double.isFinite(s.loss())).toList();
          if (!finite.isEmpty()) {
            double[] xs = finite.stream().mapToDouble(x).toArray();
            double[] losses = finite.stream().mapToDouble(History.Step::loss).toArray();
            Color color = OptimizerColors.of(optimizer);
            Color pale = new Color(color.getRed(), color.getGreen(), color.getBlue(), 60);
            line(chart, optimizer.title() + " (each batch)", xs, losses, pale, 1f)
                .setShowInLegend(false);
            line(chart, optimizer.title(), xs, smooth(losses), color, 2.4f);
          }
        });
    return chart;
  }

  /** Spikes above the start are cut off, they would flatten everything else. */
  private static double largestFirstLoss(Map<OptimizerName, History> histories) {
    return histories.values().stream()
        .flatMap(history -> history.steps().stream().limit(1))
        .mapToDouble(History.Step::loss)
        .filter(Double::isFinite)
        .max()
        .orElse(1);
  }

  /** Accuracy, or loss where there is no accuracy. */
  private static XYChart validationChart(
      Map<OptimizerName, History> histories, String unit, ToDoubleFunction<History.Validation> x) {
    boolean classes =
        histories.values().stream()
            .flatMap(history -> history.validations().stream())
            .noneMatch(v -> Double.isNaN(v.accuracy()));
    XYChart chart =
        classes
            ? chart("Validation accuracy against " + unit, unit, "accuracy in per cent")
            : chart("Validation loss against " + unit, unit, "cross entropy");
    histories.forEach(
        (optimizer, history) -> {
          List<History.Validation> validations =
              history.validations().stream().filter(v -> Double.isFinite(v.loss())).toList();
          if (!validations.isEmpty()) {
            double[] xs = validations.stream().mapToDouble(x).toArray();
            double[] ys =
                validations.stream()
                    .mapToDouble(v -> classes ? 100 * v.accuracy() : v.loss())
                    .toArray();
            XYSeries series =
                line(chart, optimizer.title(), xs, ys, OptimizerColors.of(optimizer), 2.4f);
            series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(OptimizerColors.of(optimizer));
          }
        });
    return chart;
  }

  private static XYSeries line(
      XYChart chart, String name, double[] xs, double[] ys, Color color, float width) {
    XYSeries series = chart.addSeries(name, xs, ys);
    series.setMarker(SeriesMarkers.NONE);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    return series;
  }

  /** Centred running mean over about a twentieth of the curve; the ends are kept. */
  private static double[] smooth(double[] values) {
    int reach = values.length / 40;
    double[] means = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int near = Math.min(reach, Math.min(i, values.length - 1 - i));
      double sum = 0;
      for (int k = i - near; k <= i + near; k++) {
        sum += values[k];
      }
      means[i] = sum / (2 * near + 1);
    }
    return means;
  }

  private static XYChart chart(String title, String xTitle, String yTitle) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    XYStyler style = chart.getStyler();
    style.setChartBackgroundColor(Color.WHITE);
    style.setPlotBackgroundColor(Color.WHITE);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setPlotGridLinesStroke(new BasicStroke(1f));
    style.setPlotGridVerticalLinesVisible(false);
    style.setChartTitleBoxVisible(false);
    style.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
    style.setChartFontColor(INK);
    style.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    style.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    style.setAxisTickLabelsColor(INK);
    style.setAxisTicksMarksVisible(false);
    style.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setLegendLayout(LegendLayout.Horizontal);
    style.setXAxisTickMarkSpacingHint(95);
    style.setLegendBorderColor(Color.WHITE);
    style.setMarkerSize(6);
    style.setChartPadding(18);
    style.setXAxisMin(0.0);
    style.setYAxisDecimalPattern("#0.##");
    style.setXAxisDecimalPattern("#,##0.#");
    return chart;
  }
}
