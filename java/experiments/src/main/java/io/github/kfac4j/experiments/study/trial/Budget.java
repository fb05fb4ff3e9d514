package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import java.util.Locale;

/**
 * How long a trial may take.
 *
 * @param unit of the value
 * @param value positive
 */
public record Budget(Unit unit, double value) {
  private static final int ADJUSTED_FROM = 128;

  /** What is counted. */
  public enum Unit {
    /** Steps, whatever the batch size. */
    STEPS("--max-steps"),
    /** Passes over the training images. */
    EPOCHS("--max-epochs"),
    /**
     * Passes that grow with the batch size, {@code (log2(batch / 128) + 1) value}, from a batch of
     * 128 on; {@code value} below (Ma et al., 2019).
     */
    ADJUSTED("--budget adjusted");

    private final String option;

    Unit(String option) {
      this.option = option;
    }
  }

  /**
   * Checks the value.
   *
   * @throws BadInputException naming the option and the value
   */
  public Budget {
    boolean whole = unit != Unit.STEPS || value == Math.rint(value);
    if (!(value > 0 && value < 1e15) || !whole) {
      throw new BadInputException(
          "%s must be positive, got %s"
              .formatted(
                  unit.option,
                  Double.isFinite(value) ? Digits.significant(value, 6) : Double.toString(value)));
    }
  }

  /** Reads {@code steps:N}, {@code epochs:X} or {@code adjusted:X}. */
  public static Budget parse(String text) {
    String[] parts = text.split(":", 2);
    if (parts.length < 2) {
      throw new BadInputException(
          "--budget '%s' is not steps:N, epochs:X or adjusted:X".formatted(text));
    }
    String[] known = {"steps", "epochs", "adjusted"};
    String unit = OptionText.choice("--budget", known, parts[0]);
    return new Budget(
        Unit.valueOf(unit.toUpperCase(Locale.ROOT)), OptionText.number("--budget", parts[1]));
  }

  /** The most steps of a trial with this batch size on a number of training images. */
  public long steps(int batch, int images) {
    if (unit == Unit.STEPS) {
      return (long) value;
    }
    double growth = Math.log((double) batch / ADJUSTED_FROM) / Math.log(2) + 1;
    double epochs = unit == Unit.EPOCHS ? value : value * Math.max(1, growth);
    return Math.max(1, Math.round(epochs * images / batch));
  }

  /** In words. */
  @Override
  public String toString() {
    String number = Digits.significant(value, 6);
    return switch (unit) {
      case STEPS -> number + " steps";
      case EPOCHS -> number + " epochs";
      case ADJUSTED -> number + " epochs x (log2(batch / 128) + 1)";
    };
  }
}
