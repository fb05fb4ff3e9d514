package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.study.trial.TrialTask;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Trains what a search asks for, one trial after the other, except for those that were finished
 * before, then the repetitions of the best.
 *
 * @param budget steps that a trial may take at most
 * @param stop whether to end before the next trial, or in the middle of one
 */
record SearchRun(
    Search search,
    long budget,
    Settings settings,
    StudyFolder folder,
    StudyProgress progress,
    BooleanSupplier stop) {

  /** All results, or those up to where it was stopped. */
  List<Result> run(Trainer trainer) throws IOException {
    List<Result> results = new ArrayList<>();
    Optional<Trial> next = search.next(results);
    while (next.isPresent()) {
      long limit = settings.runToEnd() ? budget : search.limit(results, budget);
      Optional<TrialOutcome> outcome = outcome(next.get(), limit, trainer);
      if (outcome.isEmpty()) {
        return results;
      }
      results.add(new Result(next.get(), outcome.get()));
      next = search.next(results);
    }
    Optional<Result> best = Search.best(results);
    for (int repeat = 1; best.isPresent() && repeat <= search.repeats(); repeat++) {
      Trial trial = best.get().trial().repeated(repeat);
      Optional<TrialOutcome> outcome = outcome(trial, budget, trainer);
      if (outcome.isEmpty()) {
        return results;
      }
      results.add(new Result(trial, outcome.get()));
    }
    progress.expect(search, results);
    return results;
  }

  /** The outcome of a trial, from before or from now; empty if stopped. */
  private Optional<TrialOutcome> outcome(Trial trial, long limit, Trainer trainer)
      throws IOException {
    Optional<TrialOutcome> known = folder.outcome(trial);
    if (known.isPresent()) {
      progress.skip();
      return known;
    }
    if (stop.getAsBoolean()) {
      return Optional.empty();
    }
    TrialTask task = settings.task(trial, limit, budget);
    Optional<TrialOutcome> outcome =
        trainer.train(task, stop, history -> progress.show(trial, limit, history));
    if (outcome.isPresent()) {
      Result result = new Result(trial, outcome.get());
      folder.keep(result);
      progress.finish(result);
    }
    return outcome;
  }
}
