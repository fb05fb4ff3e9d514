package io.github.kfac4j.experiments.comparison;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.report.RunFolder;
import io.github.kfac4j.experiments.train.Checkpoint;
import io.github.kfac4j.experiments.train.History;
import io.github.kfac4j.experiments.train.Interruption;
import io.github.kfac4j.experiments.train.Team;
import io.github.kfac4j.experiments.train.Training;
import io.github.kfac4j.experiments.train.TrainingFailedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains the same network on the same batches from the same weights with one optimizer after the
 * other, saving checkpoints on the way; what is already in the folder is continued.
 */
public final class OptimizerComparison {
  private final RunOptions options;
  private final Dataset data;
  private final Backend backend;
  private final RunFolder folder;
  private final Team team;
  private final Interruption interruption;
  private final PrintWriter log;
  private final OnSave onSave;
  private final Map<OptimizerName, History> histories = new LinkedHashMap<>();

  /** Called after each checkpoint with all measurements so far. */
  @FunctionalInterface
  public interface OnSave {
    /** Writes something that goes with the checkpoint. */
    void saved(Map<OptimizerName, History> histories) throws IOException;
  }

  /**
   * Prepares a run; nothing is written yet.
   *
   * @param backend may be null without K-FAC
   * @param folder may be null for a process that does not lead, in a new run
   */
  public OptimizerComparison(
      RunOptions options,
      Dataset data,
      Backend backend,
      RunFolder folder,
      Team team,
      Interruption interruption,
      PrintWriter log,
      OnSave onSave) {
    this.options = options;
    this.data = data;
    this.backend = backend;
    this.folder = folder;
    this.team = team;
    this.interruption = interruption;
    this.log = log;
    this.onSave = onSave;
  }

  /** Runs to the end or to an interruption; the histories are in the order of the optimizers. */
  public Map<OptimizerName, History> run() throws IOException {
    for (OptimizerName optimizer : options.optimizers()) {
      if (team.any(interruption.requested())) {
        break;
      }
      run(optimizer);
    }
    return histories;
  }

  private void run(OptimizerName optimizer) throws IOException {
    Path file = folder == null ? null : folder.checkpoint(optimizer);
    Checkpoint stored = file != null && Files.exists(file) ? Checkpoint.read(file) : null;
    if (stored != null && stored.history().finished(options)) {
      histories.put(optimizer, stored.history());
      return;
    }
    try (Training training = new Training(optimizer, options, data, backend, team)) {
      if (stored != null) {
        restore(training, stored, file);
      }
      histories.put(optimizer, training.history());
      try {
        train(optimizer, training);
      } catch (TrainingFailedException e) {
        training.history().fail(e.getMessage());
      }
      save(optimizer, training);
    }
  }

  private static void restore(Training training, Checkpoint stored, Path file) {
    try {
      training.restore(stored);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(
          file + ": cannot be resumed from: " + e.getMessage() + " (or leave out --resume)", e);
    }
  }

  private void train(OptimizerName optimizer, Training training) throws IOException {
    History history = training.history();
    try (Progress progress = new Progress(optimizer, options, history.stepCount(), log)) {
      while (!history.finished(options) && !team.any(interruption.requested())) {
        boolean evaluated = training.advance(options);
        History.Step step = history.steps().get(history.steps().size() - 1);
        progress.show(step, history);
        if (evaluated) {
          progress.showValidation();
        }
        long interval = options.checkpointEvery();
        if (interval > 0 && step.step() % interval == 0 && step.step() < options.steps()) {
          save(optimizer, training);
        }
      }
    }
  }

  private void save(OptimizerName optimizer, Training training) throws IOException {
    Checkpoint checkpoint = training.checkpoint();
    if (team.leads()) {
      checkpoint.write(folder.checkpoint(optimizer), RunFolder.toJson(options));
      onSave.saved(histories);
    }
  }
}
