package io.github.kfac4j.cli;

import java.util.Arrays;

/** An option that names one of several constants. */
public final class Choice {
  private Choice() {}

  /**
   * The constant with this name on the command line.
   *
   * @throws BadInputException if there is none
   */
  public static <T> T of(String option, T[] known, String text) {
    return Arrays.stream(known)
        .filter(value -> value.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: unknown '%s'; known are %s"
                        .formatted(option, text, Arrays.toString(known))));
  }
}
