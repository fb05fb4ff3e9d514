package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.study.trial.TrialTask;
import io.github.kfac4j.experiments.train.History;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Who trains a trial. */
interface Trainer extends AutoCloseable {
  /**
   * Trains to the end, or until asked to stop; empty then.
   *
   * @param onStep may be told after a step
   */
  Optional<TrialOutcome> train(TrialTask task, BooleanSupplier stop, Consumer<History> onStep)
      throws IOException;

  @Override
  void close();
}
