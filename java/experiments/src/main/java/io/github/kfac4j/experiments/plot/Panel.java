package io.github.kfac4j.experiments.plot;

import java.util.List;

/**
 * One pair of axes.
 *
 * @param title above it; empty for none
 * @param legend where the legend goes; null for none
 */
public record Panel(String title, Axis x, Axis y, Corner legend, List<Curve> curves) {

  /**
   * @param logarithmic to the base of two
   * @param low where the axis starts; NaN to fit the curves
   * @param high where it ends; NaN to fit
   */
  public record Axis(String label, boolean logarithmic, double low, double high) {
    /** A linear axis that fits the curves. */
    public static Axis linear(String label) {
      return new Axis(label, false, Double.NaN, Double.NaN);
    }

    /** A logarithmic axis that fits the curves. */
    public static Axis log2(String label) {
      return new Axis(label, true, Double.NaN, Double.NaN);
    }

    /** With fixed ends. */
    public Axis within(double from, double to) {
      return new Axis(label, logarithmic, from, to);
    }
  }

  /** A corner of the plot. */
  public enum Corner {
    NORTH_EAST,
    NORTH_WEST,
    SOUTH_EAST,
    SOUTH_WEST
  }
}
