package io.github.kfac4j.experiments.train;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Trains with one optimizer from the initial weights on and keeps the measurements alone. */
public final class SingleRun {
  private SingleRun() {}

  /**
   * Runs until all steps are done, training fails, {@code stop} says so or, unless {@code toEnd},
   * the target is reached.
   *
   * @param options of a single optimizer, with concrete intervals
   * @param backend may be null without K-FAC; stays the caller's
   * @param toEnd whether the target ends nothing, and the finished network is measured
   * @param onStep is told after every step
   */
  public static History train(
      RunOptions options,
      Dataset data,
      Backend backend,
      boolean toEnd,
      BooleanSupplier stop,
      Consumer<History> onStep) {
    OptimizerName optimizer = options.optimizers().get(0);
    try (Training training = new Training(optimizer, options, data, backend, Team.ALONE)) {
      History history = training.history();
      try {
        while (!over(history, options, toEnd) && !stop.getAsBoolean()) {
          training.advance(options);
          onStep.accept(history);
        }
        if (toEnd && history.failure().isEmpty() && !stop.getAsBoolean()) {
          training.finish();
        }
      } catch (TrainingFailedException e) {
        history.fail(e.getMessage());
      }
      return history;
    }
  }

  private static boolean over(History history, RunOptions options, boolean toEnd) {
    return toEnd
        ? history.stepCount() >= options.steps() || history.failure().isPresent()
        : history.finished(options);
  }
}
