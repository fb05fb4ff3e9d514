package io.github.kfac4j.experiments.options;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import java.util.Map;

/**
 * The constants of Adam (Kingma and Ba, 2015, algorithm 1).
 *
 * @param beta1 decay of the mean of gradients, in [0, 1); 0 for no momentum
 * @param beta2 decay of the mean of their squares, in [0, 1)
 * @param epsilon added to the root of that mean, positive
 */
public record AdamConstants(double beta1, double beta2, double epsilon) {
  /** Those of the paper. */
  public static final AdamConstants USUAL = new AdamConstants(0.9, 0.999, 1e-8);

  private static final String[] NAMES = {"beta1", "beta2", "eps"};

  /**
   * Checks the values.
   *
   * @throws BadInputException naming the constant and its value
   */
  public AdamConstants {
    requireDecay("beta1", beta1);
    requireDecay("beta2", beta2);
    if (!(epsilon > 0 && Double.isFinite(epsilon))) {
      throw new BadInputException("--adam: eps must be positive, got " + epsilon);
    }
  }

  /**
   * With other values for some, by the names {@code beta1}, {@code beta2} and {@code eps}.
   *
   * @throws BadInputException naming what is unknown or bad
   */
  public AdamConstants with(Map<String, String> given) {
    given.keySet().forEach(name -> OptionText.choice("--adam", NAMES, name));
    return new AdamConstants(
        value(given, "beta1", beta1), value(given, "beta2", beta2), value(given, "eps", epsilon));
  }

  private static double value(Map<String, String> given, String name, double usual) {
    return given.containsKey(name) ? OptionText.number("--adam", given.get(name)) : usual;
  }

  private static void requireDecay(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new BadInputException("--adam: %s must be in [0, 1), got %s".formatted(name, value));
    }
  }
}
