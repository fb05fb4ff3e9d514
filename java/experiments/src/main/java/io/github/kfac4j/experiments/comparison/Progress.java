package io.github.kfac4j.experiments.comparison;

import io.github.kfac4j.experiments.Terminal;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.io.PrintWriter;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressState;

/**
 * The live line on stderr: step, loss, accuracy, images per second, time left. Where stderr is not
 * a terminal, one plain line per evaluation instead.
 */
final class Progress implements AutoCloseable {
  private static final double SMOOTHING = 0.9;

  private final OptimizerName optimizer;
  private final String unit;
  private final boolean language;
  private final int batch;
  private final long steps;
  private final PrintWriter log;
  private final ProgressBar bar;
  private double secondsPerStep;
  private long counted;
  private volatile String message = "";

  Progress(OptimizerName optimizer, RunOptions options, long from, PrintWriter log) {
    this.optimizer = optimizer;
    this.unit = options.workload().model().unit();
    this.language = options.workload().model().text().isPresent();
    this.batch = options.batch();
    this.steps = options.steps();
    this.log = log;
    this.bar = Terminal.isStderr() ? bar(from) : null;
  }

  private ProgressBar bar(long from) {
    ProgressBar made =
        new ProgressBarBuilder()
            .setInitialMax(steps)
            .setUpdateIntervalMillis(200)
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .setRenderer((state, width) -> render(state))
            .build();
    return made.stepTo(from);
  }

  private String render(ProgressState state) {
    int cells = 24;
    int full = (int) (cells * state.getCurrent() / Math.max(1, state.getMax()));
    return "%-5s ▕%s%s▏ %s"
        .formatted(optimizer.title(), "█".repeat(full), "·".repeat(cells - full), message);
  }

  void show(History.Step step, History history) {
    double seconds = step.times().total();
    counted++;
    secondsPerStep =
        counted == 1 ? seconds : SMOOTHING * secondsPerStep + (1 - SMOOTHING) * seconds;
    message = line(step, history);
    if (bar != null) {
      bar.stepTo(step.step());
    }
  }

  /** Prints a lasting line where there is no live one. */
  void showValidation() {
    if (bar == null) {
      log.println("%-5s %s".formatted(optimizer.title(), message));
      log.flush();
    }
  }

  private String line(History.Step step, History history) {
    StringBuilder line =
        new StringBuilder("%d/%d  loss %.4f".formatted(step.step(), steps, step.loss()));
    if (!Double.isNaN(step.accuracy())) {
      line.append("  accuracy %.1f %%".formatted(100 * step.accuracy()));
    }
    if (!history.validations().isEmpty()) {
      History.Validation last = history.validations().get(history.validations().size() - 1);
      line.append(
          Double.isNaN(last.accuracy()) || language
              ? "  validation %.4f".formatted(last.loss())
              : "  validation %.1f %%".formatted(100 * last.accuracy()));
    }
    long left = Math.round((steps - step.step()) * secondsPerStep);
    line.append(
        "  %.0f %s/s  %d:%02d left".formatted(batch / secondsPerStep, unit, left / 60, left % 60));
    return line.toString();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
