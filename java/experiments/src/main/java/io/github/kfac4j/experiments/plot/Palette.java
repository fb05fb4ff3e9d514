package io.github.kfac4j.experiments.plot;

import java.awt.Color;

/** Colours that stay apart in print and for the colour-blind. */
public final class Palette {
  /** Colours without an order (Okabe and Ito). */
  private static final Color[] CATEGORIES = {
    new Color(0xD55E00), new Color(0x009E73), new Color(0x0072B2), new Color(0xCC79A7)
  };

  // anchors of a dark-to-light map with even steps of lightness
  private static final int[] SEQUENCE = {0x440154, 0x3B528B, 0x21918C, 0x5EC962, 0xE0C21E};

  private Palette() {}

  /** The i-th of four colours without an order. */
  public static Color category(int i) {
    return CATEGORIES[i];
  }

  /** The i-th of n ordered colours. */
  public static Color ordered(int i, int n) {
    double position = n == 1 ? 0 : (double) i * (SEQUENCE.length - 1) / (n - 1);
    int low = Math.min((int) position, SEQUENCE.length - 2);
    double part = position - low;
    Color from = new Color(SEQUENCE[low]);
    Color to = new Color(SEQUENCE[low + 1]);
    return new Color(
        mix(from.getRed(), to.getRed(), part),
        mix(from.getGreen(), to.getGreen(), part),
        mix(from.getBlue(), to.getBlue(), part));
  }

  /** The first colour with two parts in five of the second. */
  public static Color mixed(Color a, Color b) {
    return new Color(
        mix(a.getRed(), b.getRed(), 0.4),
        mix(a.getGreen(), b.getGreen(), 0.4),
        mix(a.getBlue(), b.getBlue(), 0.4));
  }

  private static int mix(int from, int to, double part) {
    return (int) Math.round(from + part * (to - from));
  }
}
