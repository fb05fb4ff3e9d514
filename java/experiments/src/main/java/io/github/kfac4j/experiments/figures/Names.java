package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.nqm.Method;
import java.util.Locale;

/** Words and numbers as the figures write them. */
final class Names {
  private Names() {}

  /** The method as the command line takes it. */
  static String of(Method method) {
    return method.name().toLowerCase(Locale.ROOT);
  }

  /** A power of the preconditioner, as a prefix of the legend's entries. */
  static String power(double power) {
    return power == 0 ? "p = 0" : "p = " + power;
  }

  static String format(String template, Object... values) {
    return String.format(Locale.ROOT, template, values);
  }
}
