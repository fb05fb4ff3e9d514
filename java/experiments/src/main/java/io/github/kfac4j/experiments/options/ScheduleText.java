package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.trainer.Schedule;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a value changes during a run, as it was written; files keep it so.
 *
 * @param text {@code constant}, {@code linear:FACTOR}, {@code linear:FACTOR@STEPS}, whose length
 *     does not depend on that of the run, {@code polynomial:POWER} or {@code FRACTION=FACTOR,...}
 */
public record ScheduleText(String text) {
  /** The value stays. */
  public static final ScheduleText CONSTANT = new ScheduleText("constant");

  private static final String LENGTH = "@";

  /** Takes any text; {@link #over} refuses what is none of these. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ScheduleText {}

  @Override
  @JsonValue
  public String text() {
    return text;
  }

  @Override
  public String toString() {
    return text;
  }

  /** Whether the value stays. */
  boolean isConstant() {
    return equals(CONSTANT);
  }

  /** Whether the schedule changes with the length of the run. */
  boolean dependsOnSteps() {
    return !isConstant() && !text.contains(LENGTH);
  }

  /**
   * The schedule over a run of a given length.
   *
   * @param option that the text is of
   * @param rate the first value
   * @throws BadInputException naming the option, if the text cannot be understood
   */
  Schedule over(String option, double rate, long steps) {
    String[] parts = text.split(":", 2);
    try {
      if (isConstant()) {
        return Schedule.constant(rate);
      }
      if (parts[0].equals("linear") && parts.length == 2) {
        String[] ends = parts[1].split(LENGTH, 2);
        long length = ends.length == 1 ? steps : Long.parseLong(ends[1]);
        return Schedule.linear(rate, Double.parseDouble(ends[0]), length);
      }
      if (parts[0].equals("polynomial") && parts.length == 2) {
        return Schedule.polynomial(rate, 0, steps, Double.parseDouble(parts[1]));
      }
      Map<Long, Double> pieces = new TreeMap<>(Map.of(0L, 1.0));
      for (String piece : text.split(",", -1)) {
        String[] pair = piece.split("=", 2);
        if (pair.length < 2) {
          throw new IllegalArgumentException(
              "known are constant, linear:0.1, linear:0.1@500, polynomial:2, 0.5=0.1");
        }
        double fraction = Double.parseDouble(pair[0]);
        if (!(fraction >= 0 && fraction <= 1)) {
          throw new IllegalArgumentException("%s is not a fraction of the run".formatted(pair[0]));
        }
        pieces.put(Math.round(fraction * steps), Double.parseDouble(pair[1]));
      }
      return Schedule.piecewise(pieces).times(rate);
    } catch (IllegalArgumentException e) {
      throw new BadInputException("%s '%s': %s".formatted(option, text, e.getMessage()), e);
    }
  }
}
