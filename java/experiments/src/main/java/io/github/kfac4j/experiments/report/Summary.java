package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * One optimizer's result in a few numbers.
 *
 * @param optimizer which one
 * @param learningRate its learning rate
 * @param steps trained
 * @param seconds spent training
 * @param failure why it stopped early, or null
 * @param trainLoss mean of the batches of the last ten steps; NaN before the first step
 * @param trainAccuracy likewise
 * @param validationLoss at the last evaluation; NaN without one
 * @param validationAccuracy at the last evaluation; NaN without one
 * @param bestAccuracy best validation accuracy; NaN without evaluation
 * @param atTarget the first evaluation at the target, if there is a target and it was reached
 * @param times median seconds of the parts of a step, but the mean for K-FAC, whose cost is uneven
 */
public record Summary(
    OptimizerName optimizer,
    double learningRate,
    long steps,
    double seconds,
    String failure,
    double trainLoss,
    double trainAccuracy,
    double validationLoss,
    double validationAccuracy,
    double bestAccuracy,
    Optional<History.Validation> atTarget,
    History.Times times) {
  private static final int LAST = 10;

  /** The exponential of the validation loss, of a language model. */
  public double perplexity() {
    return Math.exp(validationLoss);
  }

  /** Summaries in the order of the histories. */
  public static List<Summary> of(Map<OptimizerName, History> histories, RunOptions options) {
    return histories.entrySet().stream()
        .map(entry -> of(entry.getKey(), entry.getValue(), options))
        .toList();
  }

  private static Summary of(OptimizerName optimizer, History history, RunOptions options) {
    List<History.Step> steps = history.steps();
    List<History.Step> tail = steps.subList(Math.max(0, steps.size() - LAST), steps.size());
    List<History.Validation> validations = history.validations();
    History.Validation last =
        validations.isEmpty()
            ? new History.Validation(0, 0, Double.NaN, Double.NaN)
            : validations.get(validations.size() - 1);
    return new Summary(
        optimizer,
        options.hyperparameters().learningRates().get(optimizer),
        history.stepCount(),
        history.seconds(),
        history.failure().orElse(null),
        mean(tail, History.Step::loss),
        mean(tail, History.Step::accuracy),
        last.loss(),
        last.accuracy(),
        validations.stream().mapToDouble(History.Validation::accuracy).max().orElse(Double.NaN),
        history.firstAt(options),
        new History.Times(
            median(steps, s -> s.times().forward()),
            median(steps, s -> s.times().backward()),
            mean(steps, s -> s.times().kfac()),
            median(steps, s -> s.times().update())));
  }

  private static double mean(List<History.Step> steps, ToDoubleFunction<History.Step> value) {
    return steps.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  private static double median(List<History.Step> steps, ToDoubleFunction<History.Step> value) {
    if (steps.isEmpty()) {
      return Double.NaN;
    }
    double[] sorted = steps.stream().mapToDouble(value).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1
        ? sorted[middle]
        : Arrays.stream(sorted, middle - 1, middle + 1).average().getAsDouble();
  }
}
