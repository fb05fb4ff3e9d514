package io.github.kfac4j.experiments.study.trial;

import java.util.List;
import java.util.Locale;

/** Every trial as a line; what does not exist is empty. */
public final class TrialsCsv {
  private static final String HEADER =
      "optimizer,batch,trial,learning_rate,momentum,damping,steps_to_goal,reached,diverged,steps,"
          + "train_loss,validation_loss,validation_accuracy,seconds\n";

  private TrialsCsv() {}

  /** The file's text. */
  public static String of(List<Result> results) {
    StringBuilder csv = new StringBuilder(HEADER);
    for (Result result : results) {
      Trial trial = result.trial();
      Outcome outcome = result.outcome();
      csv.append("%s,%d,%d".formatted(trial.optimizer(), trial.batch(), trial.number()));
      for (Metaparameter metaparameter : Metaparameter.values()) {
        Double value = trial.values().get(metaparameter);
        csv.append(value == null ? "," : "," + Digits.significant(value, 6));
      }
      csv.append(outcome.reached() ? "," + outcome.stepsToGoal() : ",");
      csv.append(",%b,%b,%d".formatted(outcome.reached(), outcome.diverged(), outcome.steps()));
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
