package io.github.kfac4j.experiments.study.trial;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The outcome of a trial; numbers that do not exist are null.
 *
 * @param values of the metaparameters, by name
 * @param stepsToGoal steps before the first evaluation at the goal
 * @param diverged whether training failed, its loss was no longer finite, or the loss of its last
 *     steps was above the multiple of the first that the study states
 * @param cut whether it was ended behind a better trial: it might have reached the goal later
 * @param steps that were trained
 * @param trainLoss of the last {@value #LAST_STEPS} batches, their mean
 * @param validationLoss at the last evaluation
 * @param validationAccuracy at the last evaluation
 * @param finals what the finished network does; null unless trials run to the end
 * @param curve validation on the way, {@value Evaluation#MAX_EVALUATIONS} evaluations at most
 */
public record TrialOutcome(
    Map<String, Double> values,
    @JsonProperty("steps_to_goal") Long stepsToGoal,
    boolean diverged,
    boolean cut,
    long steps,
    @JsonProperty("train_loss") Double trainLoss,
    @JsonProperty("validation_loss") Double validationLoss,
    @JsonProperty("validation_accuracy") Double validationAccuracy,
    Finals finals,
    List<Evaluation> curve) {
  /** Steps over which the last loss is averaged, as batches differ. */
  static final int LAST_STEPS = 10;

  /**
   * What the finished network does.
   *
   * @param trainLoss on the first training images, as many as there are for validation
   * @param trainAccuracy there; null without classes
   * @param testLoss on the test images; null without any
   * @param testAccuracy there
   */
  public record Finals(
      @JsonProperty("train_loss") Double trainLoss,
      @JsonProperty("train_accuracy") Double trainAccuracy,
      @JsonProperty("test_loss") Double testLoss,
      @JsonProperty("test_accuracy") Double testAccuracy) {
    private static Finals of(History.Finals measured) {
      History.Validation test = measured.test();
      return new Finals(
          finite(measured.train().loss()),
          finite(measured.train().accuracy()),
          test == null ? null : finite(test.loss()),
          test == null ? null : finite(test.accuracy()));
    }
  }

  /**
   * What the history of a trial comes to.
   *
   * @param cut whether it was ended behind a better trial unless it reached the goal or failed
   * @param divergence the multiple of the first loss above which the last one counts as divergence
   */
  static TrialOutcome of(
      Map<String, Double> values,
      History history,
      RunOptions options,
      boolean cut,
      double divergence) {
    List<History.Step> steps = history.steps();
    int evaluations = history.validations().size();
    History.Validation validation =
        evaluations == 0 ? null : history.validations().get(evaluations - 1);
    Long stepsToGoal = history.firstAt(options).map(History.Validation::step).orElse(null);
    Double last = steps.isEmpty() ? null : finite(lastLoss(steps));
    boolean grew = last != null && last > divergence * steps.get(0).loss();
    boolean diverged = history.failure().isPresent() || grew;
    return new TrialOutcome(
        values,
        stepsToGoal,
        diverged,
        cut && stepsToGoal == null && !diverged,
        history.stepCount(),
        last,
        validation == null ? null : finite(validation.loss()),
        validation == null ? null : finite(validation.accuracy()),
        history.finals().map(Finals::of).orElse(null),
        Evaluation.of(history));
  }

  private static double lastLoss(List<History.Step> steps) {
    return steps.subList(Math.max(0, steps.size() - LAST_STEPS), steps.size()).stream()
        .mapToDouble(History.Step::loss)
        .average()
        .orElseThrow();
  }

  public static Map<String, Double> values(Trial trial) {
    Map<String, Double> values = new LinkedHashMap<>();
    trial.values().forEach((name, value) -> values.put(name.toString(), value));
    return values;
  }

  static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  /** Whether the goal was reached. */
  public boolean reached() {
    return stepsToGoal != null;
  }

  /** The last evaluation after so many steps at most; null if there was none. */
  public Evaluation at(long most) {
    Evaluation found = null;
    for (Evaluation point : curve) {
      found = point.step() <= most ? point : found;
    }
    return found;
  }
}
