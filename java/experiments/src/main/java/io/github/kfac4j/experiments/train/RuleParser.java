package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.trainer.Schedule;
import io.github.kfac4j.trainer.WeightDecay;
import java.util.Map;
import java.util.TreeMap;

/** Schedules and weight decay as they are written on the command line. */
final class RuleParser {
  private static final String LENGTH = "@";

  private RuleParser() {}

  /** Whether a schedule changes with the length of the run. */
  static boolean dependsOnSteps(String schedule) {
    return !schedule.equals(Hyperparameters.CONSTANT) && !schedule.contains(LENGTH);
  }

  /**
   * A schedule over a run of a given length, from {@code constant}, {@code linear:FACTOR}, {@code
   * linear:FACTOR@STEPS}, whose length does not depend on that of the run, {@code polynomial:POWER}
   * or {@code FRACTION=FACTOR,...}.
   *
   * @throws BadInputException naming the option, if the text is none of these
   */
  static Schedule schedule(String option, String text, double rate, long steps) {
    String[] parts = text.split(":", 2);
    try {
      if (text.equals(Hyperparameters.CONSTANT)) {
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

  /**
   * Weight decay, from {@code l2=COEFFICIENT}, {@code decoupled=COEFFICIENT} or null for none.
   *
   * @throws BadInputException if the text is none of these
   */
  static WeightDecay weightDecay(String text) {
    if (text == null) {
      return WeightDecay.NONE;
    }
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
