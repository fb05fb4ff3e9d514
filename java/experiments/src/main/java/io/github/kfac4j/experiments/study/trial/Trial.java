package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One training of a study.
 *
 * @param number from 0, within its optimizer and batch size
 */
public record Trial(
    OptimizerName optimizer, int batch, int number, Map<Metaparameter, Double> values) {

  /** The name of its file. */
  String name() {
    return "%s-%d-%03d".formatted(optimizer, batch, number);
  }

  /** Whether another trial has the same optimizer and batch size. */
  public boolean competesWith(Trial other) {
    return optimizer == other.optimizer && batch == other.batch;
  }

  /** The values in words. */
  public String describe() {
    return values.entrySet().stream()
        .map(value -> value.getKey().title() + " " + Digits.significant(value.getValue(), 3))
        .collect(Collectors.joining(", "));
  }
}
