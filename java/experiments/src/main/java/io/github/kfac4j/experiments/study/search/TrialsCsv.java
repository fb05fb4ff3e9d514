package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.study.trial.Digits;
import io.github.kfac4j.experiments.study.trial.Evaluation;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The trials of a study as two tables, every trial as a line and every evaluation as one; what does
 * not exist is empty.
 */
final class TrialsCsv {
  private static final String NAMES = "optimizer,batch,trial,repeat";
  private static final String HEADER =
      NAMES
          + ",%s,steps_to_goal,reached,diverged,cut,steps,train_loss,validation_loss,"
          + "validation_accuracy,final_train_loss,final_train_accuracy,test_loss,test_accuracy\n";
  private static final String CURVES = NAMES + ",step,validation_loss,validation_accuracy\n";
  private static final TrialOutcome.Finals NO_FINALS =
      new TrialOutcome.Finals(null, null, null, null);

  private TrialsCsv() {}

  /** The table of trials. */
  static String trials(List<Result> results) {
    String names =
        Arrays.stream(Metaparameter.values())
            .map(Metaparameter::toString)
            .collect(Collectors.joining(","));
    StringBuilder csv = new StringBuilder(HEADER.formatted(names));
    for (Result result : results) {
      TrialOutcome outcome = result.outcome();
      csv.append(name(result.trial()));
      for (Metaparameter metaparameter : Metaparameter.values()) {
        Double value = result.trial().values().get(metaparameter);
        csv.append(value == null ? "," : "," + Digits.significant(value, 6));
      }
      csv.append(outcome.reached() ? "," + outcome.stepsToGoal() : ",");
      csv.append(
          ",%b,%b,%b,%d"
              .formatted(outcome.reached(), outcome.diverged(), outcome.cut(), outcome.steps()));
      TrialOutcome.Finals finals = outcome.finals() == null ? NO_FINALS : outcome.finals();
      csv.append(number(outcome.trainLoss()))
          .append(number(outcome.validationLoss()))
          .append(number(outcome.validationAccuracy()))
          .append(number(finals.trainLoss()))
          .append(number(finals.trainAccuracy()))
          .append(number(finals.testLoss()))
          .append(number(finals.testAccuracy()))
          .append('\n');
    }
    return csv.toString();
  }

  /** The table of evaluations. */
  static String curves(List<Result> results) {
    StringBuilder csv = new StringBuilder(CURVES);
    for (Result result : results) {
      for (Evaluation point : result.outcome().curve()) {
        csv.append(name(result.trial())).append(',').append(point.step());
        csv.append(number(point.loss())).append(number(point.accuracy())).append('\n');
      }
    }
    return csv.toString();
  }

  private static String name(Trial trial) {
    return "%s,%d,%d,%d"
        .formatted(trial.optimizer(), trial.batch(), trial.number(), trial.repeat());
  }

  private static String number(Double value) {
    return value == null ? "," : "," + String.format(Locale.ROOT, "%.6f", value);
  }

  /**
   * The inverse of {@link #trials} and {@link #curves}.
   *
   * @throws io.github.kfac4j.experiments.BadInputException naming the line that cannot be read
   */
  static List<Result> read(CsvRows trials, CsvRows curves) {
    Map<List<String>, List<Evaluation>> points = new LinkedHashMap<>();
    for (CsvRows.Row row : curves.rows()) {
      points
          .computeIfAbsent(key(row), key -> new ArrayList<>())
          .add(
              new Evaluation(
                  row.whole("step"),
                  row.number("validation_loss"),
                  row.number("validation_accuracy")));
    }
    return trials.rows().stream()
        .map(row -> result(row, points.getOrDefault(key(row), List.of())))
        .toList();
  }

  private static List<String> key(CsvRows.Row row) {
    return Arrays.stream(NAMES.split(",")).map(row::text).toList();
  }

  private static Result result(CsvRows.Row row, List<Evaluation> curve) {
    Map<Metaparameter, Double> values = new EnumMap<>(Metaparameter.class);
    for (Metaparameter metaparameter : Metaparameter.values()) {
      Double value = row.number(metaparameter.toString());
      if (value != null) {
        values.put(metaparameter, value);
      }
    }
    Trial trial =
        new Trial(
            StudyOptimizer.of(row.where(), row.text("optimizer")),
            (int) row.whole("batch"),
            (int) row.whole("trial"),
            values,
            (int) row.whole("repeat"));
    Double steps = row.number("steps_to_goal");
    TrialOutcome.Finals finals =
        new TrialOutcome.Finals(
            row.number("final_train_loss"),
            row.number("final_train_accuracy"),
            row.number("test_loss"),
            row.number("test_accuracy"));
    TrialOutcome outcome =
        new TrialOutcome(
            TrialOutcome.values(trial),
            steps == null ? null : Long.valueOf(steps.longValue()),
            row.flag("diverged"),
            row.flag("cut"),
            row.whole("steps"),
            row.number("train_loss"),
            row.number("validation_loss"),
            row.number("validation_accuracy"),
            finals.equals(NO_FINALS) ? null : finals,
            curve);
    return new Result(trial, outcome);
  }
}
