package io.github.kfac4j.cli.train;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.train.run.OptimizerName;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** A value of {@code --lr} or {@code --damping}: one number for all, or {@code name=number,...}. */
final class PerOptimizer {
  private PerOptimizer() {}

  /** The numbers by optimizer; one number alone is for all of {@code all}. */
  static Map<OptimizerName, Double> parse(
      String option, String text, Collection<OptimizerName> all) {
    Map<OptimizerName, Double> values = new TreeMap<>();
    if (!text.contains("=")) {
      all.forEach(name -> values.put(name, number(option, text)));
      return values;
    }
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2) {
        throw new BadInputException("%s: '%s' is not NAME=NUMBER".formatted(option, part));
      }
      OptimizerName name = TrainArguments.parse(option, OptimizerName.values(), pair[0]);
      values.put(name, number(option, pair[1]));
    }
    return values;
  }

  private static double number(String option, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new BadInputException("%s: '%s' is not a number".formatted(option, text), e);
    }
  }
}
