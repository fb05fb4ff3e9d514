package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.train.OptimizerName;
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
    return parse(option, text, all, OptionText::number);
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
      OptimizerName name = OptionText.choice(option, OptimizerName.values(), pair[0]);
      values.put(name, value.apply(option, pair[1]));
    }
    return values;
  }
}
