package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.options.OptimizerName;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * An optimizer as the rows of a study have it (Zhang et al., 2019): with or without momentum, and
 * with or without an average of the weights, which is what is evaluated then.
 *
 * @param rule the optimizer of {@code train}
 * @param momentum whether it has momentum; of Adam whether beta1 is above 0
 * @param averaged whether averaged weights are evaluated
 */
public record StudyOptimizer(OptimizerName rule, boolean momentum, boolean averaged)
    implements Comparable<StudyOptimizer> {
  private static final String AVERAGED = "-ema";

  /** All there are. */
  public static StudyOptimizer[] values() {
    return Arrays.stream(OptimizerName.values())
        .flatMap(
            rule ->
                Stream.of(
                    new StudyOptimizer(rule, false, false), new StudyOptimizer(rule, true, false)))
        .flatMap(plain -> Stream.of(plain, new StudyOptimizer(plain.rule, plain.momentum, true)))
        .toArray(StudyOptimizer[]::new);
  }

  /**
   * The one of a name.
   *
   * @throws BadInputException naming the option, if there is none
   */
  public static StudyOptimizer of(String option, String name) {
    return Arrays.stream(values())
        .filter(optimizer -> optimizer.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    ("%s: unknown '%s'; known are sgd, heavy-ball, adam-0, adam, kfac-0, kfac,"
                            + " ekfac-0, ekfac, diagonal-0 and diagonal, each also with %s behind it")
                        .formatted(option, name, AVERAGED)));
  }

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    String plain =
        rule == OptimizerName.SGD
            ? momentum ? "heavy-ball" : "sgd"
            : momentum ? rule.toString() : rule + "-0";
    return averaged ? plain + AVERAGED : plain;
  }

  /** The name in tables and plots. */
  public String title() {
    String plain =
        rule == OptimizerName.SGD
            ? momentum ? "heavy ball" : "SGD"
            : momentum ? rule.title() : rule.title() + " without momentum";
    return averaged ? plain + ", averaged" : plain;
  }

  @Override
  public int compareTo(StudyOptimizer other) {
    return toString().compareTo(other.toString());
  }
}
