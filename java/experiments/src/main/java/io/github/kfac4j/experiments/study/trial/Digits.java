package io.github.kfac4j.experiments.study.trial;

import java.math.BigDecimal;
import java.math.MathContext;

/** Numbers as people write them. */
public final class Digits {
  private Digits() {}

  /** The nearest number with so many significant digits. */
  static double rounded(double value, int digits) {
    return new BigDecimal(value).round(new MathContext(digits)).doubleValue();
  }

  /** A number with a limit of significant digits, without trailing zeros. */
  public static String significant(double value, int digits) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(digits)).stripTrailingZeros();
    return rounded.signum() != 0 && Math.abs(value) < 1e-4
        ? rounded.toString()
        : rounded.toPlainString();
  }
}
