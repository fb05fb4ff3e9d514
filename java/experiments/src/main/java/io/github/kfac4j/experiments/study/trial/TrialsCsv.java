package io.github.kfac4j.experiments.study.trial;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Every trial as a line; what does not exist is empty. */
public final class TrialsCsv {
  private static final String HEADER =
      "optimizer,batch,trial,repeat,%s,steps_to_goal,reached,diverged,cut,steps,train_loss,"
          + "validation_loss,validation_accuracy,seconds\n";

  private TrialsCsv() {}

  /** The file's text. */
  public static String of(List<Result> results) {
    String names =
        Arrays.stream(Metaparameter.values())
            .map(Metaparameter::toString)
            .collect(Collectors.joining(","));
    StringBuilder csv = new StringBuilder(HEADER.formatted(names));
    for (Result result : results) {
      Trial trial = result.trial();
      Outcome outcome = result.outcome();
      csv.append(
          "%s,%d,%d,%d"
              .formatted(trial.optimizer(), trial.batch(), trial.number(), trial.repeat()));
      for (Metaparameter metaparameter : Metaparameter.values()) {
        Double value = trial.values().get(metaparameter);
        csv.append(value == null ? "," : "," + Digits.significant(value, 6));
      }
      csv.append(outcome.reached() ? "," + outcome.stepsToGoal() : ",");
      csv.append(
          ",%b,%b,%b,%d"
              .formatted(outcome.reached(), outcome.diverged(), outcome.cut(), outcome.steps()));
      csv.append(number("%.6f", outcome.trainLoss()));
      csv.append(number("%.6f", outcome.validationLoss()));
      csv.append(number("%.6f", outcome.validationAccuracy()));
      csv.append(number("%.3f", outcome.seconds())).append('\n');
    }
    return csv.toString();
  }

  private static String number(String format, Double value) {
    return value == null ? "," : "," + String.format(Locale.ROOT, format, value);
  }
}
