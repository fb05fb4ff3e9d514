package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.options.OptimizerName;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A value of {@code --lr} or its like: one for all optimizers, or {@code name=value,...}. */
public final class PerOptimizer {
  private PerOptimizer() {}

  /** The numbers by optimizer; one number alone is for all of {@code all}. */
  static Map<OptimizerName, Double> parse(
      String option, String text, Collection<OptimizerName> all) {
    return parse(
        option,
        text,
        all,
        name -> OptionText.choice(option, OptimizerName.values(), name),
        OptionText::number);
  }

  /**
   * The values by optimizer; one alone is for all of {@code all}.
   *
   * @param optimizer the one of a name
   * @param value makes a value of the option's name and of text
   * @throws BadInputException naming the option, if the text cannot be understood
   */
  public static <K extends Comparable<K>, T> Map<K, T> parse(
      String option,
      String text,
      Collection<K> all,
      Function<String, K> optimizer,
      BiFunction<String, String, T> value) {
    Map<K, T> values = new TreeMap<>();
    if (!text.contains("=")) {
      all.forEach(name -> values.put(name, value.apply(option, text)));
      return values;
    }
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2) {
        throw new BadInputException("%s: '%s' is not NAME=VALUE".formatted(option, part));
      }
      values.put(optimizer.apply(pair[0]), value.apply(option, pair[1]));
    }
    return values;
  }
}
