package io.github.kfac4j.cli.nqm.figures;

import io.github.kfac4j.nqm.Method;
import java.util.Locale;

/** Words and numbers as the figures write them. */
final class Names {
  private static final String RAISED =
      "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

  private Names() {}

  /** The method as the command line takes it. */
  static String of(Method method) {
    return method.name().toLowerCase(Locale.ROOT);
  }

  /** A power of two: 2 with a raised exponent. */
  static String powerOfTwo(int exponent) {
    StringBuilder text = new StringBuilder("2");
    for (char c : String.valueOf(exponent).toCharArray()) {
      text.append(
          c == '-'
              ? '\u207b'
              : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079".charAt(c - '0'));
    }
    return text.toString();
  }

  /** A power of the preconditioner, as a prefix of the legend's entries. */
  static String power(double power) {
    return power == 0 ? "p = 0" : "p = " + power;
  }

  static String format(String template, Object... values) {
    return String.format(Locale.ROOT, template, values);
  }
}
