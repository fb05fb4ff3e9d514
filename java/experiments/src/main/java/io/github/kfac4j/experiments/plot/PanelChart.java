package io.github.kfac4j.experiments.plot;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.Arrays;
import java.util.function.Function;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws a panel with XChart. Axes to the base of two are linear axes of logarithms. */
public final class PanelChart {
  private static final Color GRID = new Color(0xDDDDDD);

  /** Points of a dense dashed curve that make a dash and its gap. */
  private static final int DASH_POINTS = 7;

  /** Free space at the ends of an axis that fits its curves, as a share of its length. */
  private static final double MARGIN = 0.02;

  private static final String RAISED =
      "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

  private PanelChart() {}

  /** The panel, of a given size in pixels. */
  public static XYChart of(Panel panel, int width, int height) {
    XYChart chart =
        new XYChartBuilder()
            .width(width)
            .height(height)
            .title(panel.title())
            .xAxisTitle(panel.x().label())
            .yAxisTitle(panel.y().label())
            .build();
    style(chart.getStyler(), panel, width, height);
    int unnamed = 0;
    for (Curve curve : panel.curves()) {
      String name = curve.name() == null ? "unnamed " + unnamed++ : curve.name();
      XYSeries series =
          chart.addSeries(name, scaled(panel.x(), curve.x()), scaled(panel.y(), broken(curve)));
      series.setLineColor(curve.color());
      series.setLineStyle(stroke(curve.stroke()));
      series.setMarker(marker(curve));
      series.setMarkerColor(curve.color());
      series.setShowInLegend(curve.name() != null);
    }
    return chart;
  }

  private static void style(XYStyler styler, Panel panel, int width, int height) {
    int size = Math.max(14, width / 42);
    Font plain = new Font(Font.SANS_SERIF, Font.PLAIN, size);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setPlotBorderColor(Color.BLACK);
    styler.setPlotGridLinesColor(GRID);
    styler.setPlotGridLinesStroke(new BasicStroke(1));
    styler.setPlotContentSize(1);
    styler.setAxisTickLabelsFont(plain);
    styler.setAxisTitleFont(plain.deriveFont(size * 1.15f));
    styler.setChartTitleFont(plain.deriveFont(size * 1.15f));
    styler.setChartTitleVisible(!panel.title().isEmpty());
    styler.setChartTitleBoxVisible(false);
    styler.setChartTitlePadding(size / 2);
    styler.setAxisTickMarkLength(6);
    styler.setChartPadding(size / 2);
    styler.setMarkerSize(8);
    styler.setLegendFont(plain.deriveFont(size * 0.85f));
    styler.setLegendBorderColor(GRID);
    styler.setLegendPadding(6);
    styler.setLegendSeriesLineLength(46);
    styler.setLegendVisible(panel.legend() != null);
    if (panel.legend() != null) {
      styler.setLegendPosition(position(panel.legend()));
    }
    if (panel.x().logarithmic()) {
      styler.setxAxisTickLabelsFormattingFunction(PanelChart::powerOfTwo);
    }
    if (panel.y().logarithmic()) {
      styler.setyAxisTickLabelsFormattingFunction(PanelChart::powerOfTwo);
    }
    double[] horizontal = limits(panel.x(), all(panel, Curve::x));
    double[] vertical = limits(panel.y(), all(panel, Curve::y));
    styler.setXAxisTickMarkSpacingHint(spacing(panel.x(), horizontal, width, 10));
    styler.setYAxisTickMarkSpacingHint(spacing(panel.y(), vertical, height, 12));
    styler.setXAxisMin(horizontal[0]).setXAxisMax(horizontal[1]);
    styler.setYAxisMin(vertical[0]).setYAxisMax(vertical[1]);
  }

  /** Both ends of an axis in the chart's own units, a little beyond its curves. */
  private static double[] limits(Panel.Axis axis, double[] values) {
    double low = Double.isNaN(axis.low()) ? Arrays.stream(values).min().orElseThrow() : axis.low();
    double high =
        Double.isNaN(axis.high()) ? Arrays.stream(values).max().orElseThrow() : axis.high();
    double[] ends = scaled(axis, new double[] {low, high});
    double margin = MARGIN * (ends[1] - ends[0]);
    return new double[] {ends[0] - margin, ends[1] + margin};
  }

  /** The pixels between ticks that limit how many XChart puts, at whole powers of two. */
  private static int spacing(Panel.Axis axis, double[] limits, int pixels, int most) {
    double step = (limits[1] - limits[0]) / most;
    if (axis.logarithmic()) {
      step = step <= 1 ? 1 : step <= 2 ? 2 : 5;
    }
    return (int) (0.88 * pixels * step / (limits[1] - limits[0]));
  }

  private static double[] all(Panel panel, Function<Curve, double[]> values) {
    return panel.curves().stream().map(values).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[] scaled(Panel.Axis axis, double[] values) {
    return axis.logarithmic() ? Arrays.stream(values).map(PanelChart::log2).toArray() : values;
  }

  /** A dash pattern starts anew at every point, so that dense curves need gaps of their own. */
  private static double[] broken(Curve curve) {
    double[] y = curve.y().clone();
    if (curve.stroke() == Curve.Stroke.DASHED && y.length > 2 * DASH_POINTS) {
      for (int i = 0; i < y.length; i++) {
        y[i] = i % DASH_POINTS < DASH_POINTS * 0.6 ? y[i] : Double.NaN;
      }
    }
    return y;
  }

  private static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }

  private static String powerOfTwo(double exponent) {
    boolean whole = Math.abs(exponent - Math.rint(exponent)) < 1e-9;
    // XChart asks for the ends of the axis as well and wants them to differ
    return whole ? powerOfTwo((int) Math.rint(exponent)) : String.valueOf(exponent);
  }

  /** A power of two: 2 with a raised exponent. */
  public static String powerOfTwo(int exponent) {
    StringBuilder text = new StringBuilder("2");
    for (char c : String.valueOf(exponent).toCharArray()) {
      text.append(c == '-' ? '\u207b' : RAISED.charAt(c - '0'));
    }
    return text.toString();
  }

  private static BasicStroke stroke(Curve.Stroke stroke) {
    float[] dash = stroke == Curve.Stroke.SOLID ? null : new float[] {11, 7};
    return new BasicStroke(3, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, dash, 0);
  }

  private static Marker marker(Curve curve) {
    if (!curve.markers()) {
      return SeriesMarkers.NONE;
    }
    return curve.stroke() == Curve.Stroke.SOLID ? SeriesMarkers.CIRCLE : SeriesMarkers.SQUARE;
  }

  private static Styler.LegendPosition position(Panel.Corner corner) {
    return switch (corner) {
      case NORTH_EAST -> Styler.LegendPosition.InsideNE;
      case NORTH_WEST -> Styler.LegendPosition.InsideNW;
      case SOUTH_EAST -> Styler.LegendPosition.InsideSE;
      case SOUTH_WEST -> Styler.LegendPosition.InsideSW;
    };
  }
}
