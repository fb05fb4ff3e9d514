package io.github.kfac4j.experiments.train;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.Dataset;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Trains with one optimizer from the initial weights on and keeps the measurements alone. */
public final class SingleRun {
  private SingleRun() {}

  /**
   * Runs until all steps are done, the target is reached, training fails or {@code stop} says so.
   *
   * @param options of a single optimizer, with concrete intervals
   * @param backend may be null without K-FAC; stays the caller's
   * @param onStep is told after every step
   */
  public static History train(
      RunOptions options,
      Dataset data,
      Backend backend,
      BooleanSupplier stop,
      Consumer<History> onStep) {
    OptimizerName optimizer = options.optimizers().get(0);
    try (Training training = new Training(optimizer, options, data, backend, Team.ALONE)) {
      History history = training.history();
      try {
        while (!history.finished(options) && !stop.getAsBoolean()) {
          training.advance(options);
          onStep.accept(history);
        }
      } catch (TrainingFailedException e) {
        history.fail(e.getMessage());
      }
      return history;
    }
  }
}
