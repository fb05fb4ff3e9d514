package io.github.kfac4j.cli.train;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.train.run.OptimizerName;
import java.util.Map;
import java.util.TreeMap;

/** The value of {@code --lr}: one number for all optimizers, or {@code name=number,...}. */
final class LearningRates {
  private LearningRates() {}

  static Map<OptimizerName, Double> parse(String text) {
    Map<OptimizerName, Double> rates = new TreeMap<>();
    if (!text.contains("=")) {
      for (OptimizerName name : OptimizerName.values()) {
        rates.put(name, number(text));
      }
      return rates;
    }
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2) {
        throw new BadInputException("--lr: '%s' is not NAME=RATE".formatted(part));
      }
      rates.put(TrainArguments.parse("--lr", OptimizerName.values(), pair[0]), number(pair[1]));
    }
    return rates;
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new BadInputException("--lr: '%s' is not a number".formatted(text), e);
    }
  }
}
