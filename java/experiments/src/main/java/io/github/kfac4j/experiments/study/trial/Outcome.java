package io.github.kfac4j.experiments.study.trial;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.RunOptions;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The outcome of a trial; numbers that do not exist are null.
 *
 * @param values of the metaparameters, by name
 * @param stepsToGoal steps before the first evaluation at the goal
 * @param diverged whether training failed, for example because the loss was no longer finite
 * @param steps that were trained
 * @param trainLoss of the last batch
 * @param validationLoss at the last evaluation
 * @param validationAccuracy at the last evaluation
 * @param seconds of training, without evaluation
 */
public record Outcome(
    Map<String, Double> values,
    @JsonProperty("steps_to_goal") Long stepsToGoal,
    boolean diverged,
    long steps,
    @JsonProperty("train_loss") Double trainLoss,
    @JsonProperty("validation_loss") Double validationLoss,
    @JsonProperty("validation_accuracy") Double validationAccuracy,
    double seconds) {

  static Outcome of(Trial trial, History history, RunOptions options) {
    int steps = history.steps().size();
    int evaluations = history.validations().size();
    History.Validation validation =
        evaluations == 0 ? null : history.validations().get(evaluations - 1);
    return new Outcome(
        values(trial),
        history.firstAt(options).map(History.Validation::step).orElse(null),
        history.failure().isPresent(),
        history.stepCount(),
        steps == 0 ? null : finite(history.steps().get(steps - 1).loss()),
        validation == null ? null : finite(validation.loss()),
        validation == null ? null : finite(validation.accuracy()),
        history.seconds());
  }

  static Map<String, Double> values(Trial trial) {
    Map<String, Double> values = new LinkedHashMap<>();
    trial.values().forEach((name, value) -> values.put(name.toString(), value));
    return values;
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  /** Whether the goal was reached. */
  public boolean reached() {
    return stepsToGoal != null;
  }
}
