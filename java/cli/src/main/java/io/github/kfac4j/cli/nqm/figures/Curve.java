package io.github.kfac4j.cli.nqm.figures;

import java.awt.Color;

/**
 * A line of a panel.
 *
 * @param name its entry in the legend; null for none
 * @param x abscissae; a logarithmic axis takes them as they are
 * @param y ordinates, as many
 */
record Curve(String name, double[] x, double[] y, Color color, Stroke stroke, boolean markers) {

  /** How a curve is drawn. */
  enum Stroke {
    SOLID,
    DASHED
  }

  static Curve solid(String name, double[] x, double[] y, Color color) {
    return new Curve(name, x, y, color, Stroke.SOLID, x.length <= 25);
  }

  static Curve dashed(String name, double[] x, double[] y, Color color) {
    return new Curve(name, x, y, color, Stroke.DASHED, x.length <= 25);
  }

  /** The information-theoretic bound. */
  static Curve bound(double[] x, double[] y) {
    return new Curve("lower bound", x, y, Color.BLACK, Stroke.DASHED, false);
  }
}
