package io.github.kfac4j.experiments.study.trial;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * One training of a study.
 *
 * @param number of its values, from 0, within its optimizer and batch size
 * @param repeat 0 for the search; the n-th repetition of the best values, with a seed of its own
 */
public record Trial(
    StudyOptimizer optimizer,
    int batch,
    int number,
    Map<Metaparameter, Double> values,
    int repeat) {

  /** A trial of the search. */
  public Trial(StudyOptimizer optimizer, int batch, int number, Map<Metaparameter, Double> values) {
    this(optimizer, batch, number, values, 0);
  }

  /** The same values with another seed. */
  public Trial repeated(int times) {
    return new Trial(optimizer, batch, number, values, times);
  }

  /** The name of its file. */
  public String name() {
    String name = "%s-%d-%03d".formatted(optimizer, batch, number);
    return repeat == 0 ? name : name + "-repeat" + repeat;
  }

  /** The values in words. */
  public String describe() {
    String text =
        values.entrySet().stream()
            .map(value -> value.getKey().title() + " " + value.getKey().text(value.getValue()))
            .collect(Collectors.joining(", "));
    return repeat == 0 ? text : text + ", repeat " + repeat;
  }
}
