package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import java.util.Locale;

/**
 * How long a training is.
 *
 * @param unit of the value
 * @param value positive
 */
public record Length(Unit unit, double value) {
  private static final int ADJUSTED_FROM = 128;

  /** What is counted. */
  public enum Unit {
    /** Steps, whatever the batch size. */
    STEPS,
    /** Passes over the training images. */
    EPOCHS,
    /**
     * Passes that grow with the batch size, {@code (log2(batch / 128) + 1) value}, from a batch of
     * 128 on; {@code value} below (Ma et al., 2019).
     */
    ADJUSTED;

    /** The name on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Checks the value.
   *
   * @throws BadInputException naming the unit and the value
   */
  public Length {
    boolean whole = unit != Unit.STEPS || value == Math.rint(value);
    if (!(value > 0 && value < 1e15) || !whole) {
      throw new BadInputException(
          "--budget: %s must be positive%s, got %s"
              .formatted(
                  unit,
                  unit == Unit.STEPS ? " and whole" : "",
                  Double.isFinite(value) ? Digits.significant(value, 6) : Double.toString(value)));
    }
  }

  /** Reads {@code steps:N}, {@code epochs:X} or {@code adjusted:X}. */
  static Length parse(String text) {
    String[] parts = text.split(":", 2);
    if (parts.length < 2) {
      throw new BadInputException(
          "--budget '%s' is not steps:N, epochs:X or adjusted:X".formatted(text));
    }
    Unit unit = OptionText.choice("--budget", Unit.values(), parts[0]);
    return new Length(unit, OptionText.number("--budget", parts[1]));
  }

  /** The steps with this batch size on a number of training images. */
  public long steps(int batch, int images) {
    if (unit == Unit.STEPS) {
      return (long) value;
    }
    double growth = Math.log((double) batch / ADJUSTED_FROM) / Math.log(2) + 1;
    double epochs = unit == Unit.EPOCHS ? value : value * Math.max(1, growth);
    return Math.max(1, Math.round(epochs * images / batch));
  }

  /** In words. */
  public String describe() {
    String number = Digits.significant(value, 6);
    return switch (unit) {
      case STEPS -> number + " steps";
      case EPOCHS -> number + " epochs";
      case ADJUSTED -> number + " epochs x (log2(batch / 128) + 1)";
    };
  }

  /** As on the command line. */
  @Override
  public String toString() {
    return unit + ":" + Digits.significant(value, 6);
  }
}
