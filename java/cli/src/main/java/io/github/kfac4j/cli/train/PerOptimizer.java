package io.github.kfac4j.cli.train;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.Choice;
import io.github.kfac4j.cli.train.run.OptimizerName;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** A value of {@code --lr} or its like: one for all optimizers, or {@code name=value,...}. */
public final class PerOptimizer {
  private PerOptimizer() {}

  /** The numbers by optimizer; one number alone is for all of {@code all}. */
  static Map<OptimizerName, Double> parse(
      String option, String text, Collection<OptimizerName> all) {
    return parse(option, text, all, PerOptimizer::number);
  }

  /**
   * The values by optimizer; one alone is for all of {@code all}.
   *
   * @param value makes a value of the option's name and of text
   * @throws BadInputException naming the option, if the text cannot be understood
   */
  public static <T> Map<OptimizerName, T> parse(
      String option,
      String text,
      Collection<OptimizerName> all,
      BiFunction<String, String, T> value) {
    Map<OptimizerName, T> values = new TreeMap<>();
    if (!text.contains("=")) {
      all.forEach(name -> values.put(name, value.apply(option, text)));
      return values;
    }
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2) {
        throw new BadInputException("%s: '%s' is not NAME=VALUE".formatted(option, part));
      }
      OptimizerName name = Choice.of(option, OptimizerName.values(), pair[0]);
      values.put(name, value.apply(option, pair[1]));
    }
    return values;
  }

  /** The number that {@code text} is. */
  public static double number(String option, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new BadInputException("%s: '%s' is not a number".formatted(option, text), e);
    }
  }
}
