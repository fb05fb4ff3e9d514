package io.github.kfac4j.experiments.study.search;

import io.github.kfac4j.experiments.Terminal;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.train.History;
import java.io.PrintWriter;
import java.util.List;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/** The live line on stderr; where stderr is not a terminal, one line per trial instead. */
final class StudyProgress implements AutoCloseable {
  private int trials;
  private final PrintWriter log;
  private final ProgressBar bar;
  private final long start = System.nanoTime();
  private int known;
  private volatile int finished;
  private volatile String message = "";

  /** For the number of trials that is known so far. */
  StudyProgress(int trials, PrintWriter log) {
    this.trials = trials;
    this.log = log;
    this.bar = Terminal.isStderr() ? bar() : null;
  }

  private ProgressBar bar() {
    return new ProgressBarBuilder()
        .setInitialMax(trials)
        .setUpdateIntervalMillis(200)
        .setConsumer(new ConsoleProgressBarConsumer(System.err))
        .setRenderer(
            (state, width) ->
                "%d/%d%s  %s".formatted(finished, Math.max(trials, finished), left(), message))
        .build();
  }

  synchronized void show(Trial trial, long limit, History history) {
    History.Step last = history.steps().get(history.steps().size() - 1);
    message = "step %d/%d  loss %.4f  %s".formatted(last.step(), limit, last.loss(), head(trial));
  }

  /** A trial that was finished before. */
  synchronized void skip() {
    known++;
    finished++;
  }

  /** A search made more trials than expected, for those that diverged, or fewer repetitions. */
  synchronized void expect(Search search, List<Result> results) {
    trials += results.size() - search.trials() - search.repeats();
  }

  synchronized void finish(Result result) {
    finished++;
    if (bar == null) {
      log.printf(
          "%d/%d  %s: %s%s%n",
          finished, trials, head(result.trial()), end(result.outcome()), left());
      log.flush();
    } else {
      bar.stepTo(finished);
    }
  }

  private static String head(Trial trial) {
    return "%s, batch %d, %s".formatted(trial.optimizer().title(), trial.batch(), trial.describe());
  }

  private static String end(TrialOutcome outcome) {
    return outcome.reached()
        ? "goal after %d steps".formatted(outcome.stepsToGoal())
        : "%s after %d steps"
            .formatted(outcome.diverged() ? "diverged" : "no goal", outcome.steps());
  }

  /** As long as the mean of the trials so far for each of the others. */
  private String left() {
    if (finished == known || finished >= trials) {
      return "";
    }
    double each = (System.nanoTime() - start) * 1e-9 / (finished - known);
    long seconds = Math.round(each * Math.max(0, trials - finished));
    return "; about %d:%02d left".formatted(seconds / 60, seconds % 60);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
