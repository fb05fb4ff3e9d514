package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.study.trial.TrialTask;
import io.github.kfac4j.experiments.train.History;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Trains in this process; data and backend stay the study's. */
record LocalTrainer(Dataset data, Backend backend) implements Trainer {
  @Override
  public Optional<TrialOutcome> train(
      TrialTask task, BooleanSupplier stop, Consumer<History> onStep) {
    return task.train(data, backend, stop, onStep);
  }

  @Override
  public void close() {}
}
