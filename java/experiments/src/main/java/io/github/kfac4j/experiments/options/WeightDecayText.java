package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.trainer.WeightDecay;

/**
 * Weight decay as it was written; files keep it so.
 *
 * @param text {@code l2=COEFFICIENT} or {@code decoupled=COEFFICIENT}
 */
public record WeightDecayText(String text) {
  /**
   * Checks the text.
   *
   * @throws BadInputException if it cannot be understood
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public WeightDecayText {
    parse(text);
  }

  @Override
  @JsonValue
  public String text() {
    return text;
  }

  @Override
  public String toString() {
    return text;
  }

  /** The decay; none for null. */
  public static WeightDecay value(WeightDecayText given) {
    return given == null ? WeightDecay.NONE : parse(given.text);
  }

  private static WeightDecay parse(String text) {
    String[] pair = text.split("=", 2);
    try {
      WeightDecay.Mode mode =
          switch (pair[0]) {
            case "l2" -> WeightDecay.Mode.L2;
            case "decoupled" -> WeightDecay.Mode.DECOUPLED;
            default -> throw new IllegalArgumentException("known are l2=1e-4 and decoupled=1e-4");
          };
      return new WeightDecay(mode, Double.parseDouble(pair.length < 2 ? "" : pair[1]));
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--weight-decay '%s': %s".formatted(text, e.getMessage()), e);
    }
  }
}
