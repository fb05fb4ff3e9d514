package io.github.kfac4j.experiments;

import java.util.Arrays;

/** The text of an option, turned into a value or refused by the option's name. */
public final class OptionText {
  private OptionText() {}

  /**
   * The constant that {@code text} names.
   *
   * @throws BadInputException if there is none
   */
  public static <T> T choice(String option, T[] known, String text) {
    return Arrays.stream(known)
        .filter(value -> value.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: unknown '%s'; known are %s"
                        .formatted(option, text, Arrays.toString(known))));
  }

  /**
   * The number that {@code text} is.
   *
   * @throws BadInputException if it is none
   */
  public static double number(String option, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new BadInputException("%s: '%s' is not a number".formatted(option, text), e);
    }
  }
}
