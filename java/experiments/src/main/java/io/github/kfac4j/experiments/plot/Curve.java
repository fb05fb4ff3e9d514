package io.github.kfac4j.experiments.plot;

import java.awt.Color;

/**
 * A line of a panel.
 *
 * @param name its entry in the legend; null for none
 * @param x abscissae; a logarithmic axis takes them as they are
 * @param y ordinates, as many
 */
public record Curve(
    String name, double[] x, double[] y, Color color, Stroke stroke, boolean markers) {

  /** How a curve is drawn. */
  public enum Stroke {
    SOLID,
    DASHED
  }

  /** Drawn through, with markers where they are few. */
  public static Curve solid(String name, double[] x, double[] y, Color color) {
    return new Curve(name, x, y, color, Stroke.SOLID, x.length <= 25);
  }

  /** Broken, with markers where they are few. */
  public static Curve dashed(String name, double[] x, double[] y, Color color) {
    return new Curve(name, x, y, color, Stroke.DASHED, x.length <= 25);
  }

  /** The information-theoretic bound. */
  public static Curve bound(double[] x, double[] y) {
    return new Curve("lower bound", x, y, Color.BLACK, Stroke.DASHED, false);
  }
}
