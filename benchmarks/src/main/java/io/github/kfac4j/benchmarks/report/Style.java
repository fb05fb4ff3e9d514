package io.github.kfac4j.benchmarks.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** What all charts have in common. */
final class Style {
  /** Pixels per unit, so that the picture is sharp on any screen. */
  private static final int SCALE = 2;

  static final Color INK = new Color(0x1F2937);
  static final Color GRID = new Color(0xE5E7EB);

  /** Labels of the contenders, in the order of tables and legends. */
  private static final Map<String, String> LABELS = new LinkedHashMap<>();

  /** Distinguishable for colour-blind readers (Okabe and Ito), ours the darkest. */
  private static final Map<String, Color> COLORS = new LinkedHashMap<>();

  static {
    contender("cpu", "kfac4j", 0x0072B2);
    contender("cuda", "kfac4j", 0x0072B2);
    contender("java", "kfac4j, pure Java", 0x332288);
    contender("java-vector", "kfac4j, pure Java with the Vector API", 0x117733);
    contender("openblas", "OpenBLAS", 0x009E73);
    contender("mkl", "MKL", 0x999933);
    contender("libtorch", "libtorch", 0xD55E00);
    contender("libtorch cholesky_inverse", "libtorch, Cholesky", 0xE69F00);
    contender("pytorch", "PyTorch", 0x882255);
    contender("pytorch cholesky_inverse", "PyTorch, Cholesky", 0xAA4499);
    contender("jax", "JAX", 0xCC79A7);
    contender("kfac-pytorch", "kfac-pytorch", 0xD55E00);
    contender("kfac-pytorch eigen", "kfac-pytorch, eigen", 0xE69F00);
    contender("ejml", "EJML", 0x56B4E9);
    contender("ojalgo", "ojAlgo", 0x999999);
    contender("nd4j", "ND4J", 0x000000);
    contender("sgd", "SGD alone", 0x999999);
  }

  private Style() {}

  private static void contender(String name, String label, int color) {
    LABELS.put(name, label);
    COLORS.put(name, new Color(color));
  }

  /** All contenders that can appear. */
  static List<String> contenders() {
    return List.copyOf(LABELS.keySet());
  }

  static String label(String contender) {
    return LABELS.getOrDefault(contender, contender);
  }

  static Color color(String contender) {
    return COLORS.getOrDefault(contender, INK);
  }

  /** A shape for each family of libraries. */
  static Marker marker(String contender) {
    return switch (contender) {
      case "openblas", "mkl" -> SeriesMarkers.SQUARE;
      case "libtorch", "libtorch cholesky_inverse" -> SeriesMarkers.DIAMOND;
      case "pytorch", "pytorch cholesky_inverse" -> SeriesMarkers.TRIANGLE_UP;
      case "jax" -> SeriesMarkers.TRIANGLE_DOWN;
      default -> SeriesMarkers.CIRCLE;
    };
  }

  static void apply(AxesChartStyler style) {
    style.setChartBackgroundColor(Color.WHITE);
    style.setPlotBackgroundColor(Color.WHITE);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setPlotGridLinesStroke(new BasicStroke(1f));
    style.setChartTitleBoxVisible(false);
    style.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    style.setChartFontColor(INK);
    style.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    style.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    style.setAxisTickLabelsColor(INK);
    style.setAxisTicksMarksVisible(false);
    style.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    style.setLegendPosition(LegendPosition.OutsideE);
    style.setLegendBorderColor(Color.WHITE);
    style.setChartPadding(14);
  }

  static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }

  /** 1/4, 1/2, 1, 2, ... where an axis shows logarithms to base 2. */
  static String powerOfTwo(double exponent) {
    if (exponent != Math.rint(exponent)) {
      return blank(exponent);
    }
    return exponent >= 0
        ? Long.toString(Math.round(Math.pow(2, exponent)))
        : "1/" + Math.round(Math.pow(2, -exponent));
  }

  /**
   * An invisible label that no other value has, in characters of no width: XChart tries wider and
   * wider spacings, for ever if it has to, until all labels of an axis differ.
   */
  static String blank(double value) {
    return Long.toBinaryString(Double.doubleToLongBits(value))
        .replace('0', '\u200C')
        .replace('1', '\u200D');
  }

  /** The pixels between ticks that make XChart put one at every {@code step}. */
  static int spacing(int pixels, double step, double range) {
    return (int) (1.1 * pixels * step / range);
  }

  /** Writes a chart as PNG. */
  static void write(Chart<?, ?> chart, Path file) throws IOException {
    int width = chart.getWidth();
    int height = chart.getHeight();
    BufferedImage image =
        new BufferedImage(width * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.scale(SCALE, SCALE);
    chart.paint(graphics, width, height);
    graphics.dispose();
    ImageIO.write(image, "png", file.toFile());
  }
}
