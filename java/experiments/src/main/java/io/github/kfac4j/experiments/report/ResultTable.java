package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.options.RunOptions;
import java.util.ArrayList;
import java.util.List;

/** The summaries as rows of text, for the terminal and for the page. */
final class ResultTable {
  private ResultTable() {}

  static List<String> header(RunOptions options) {
    List<String> header =
        new ArrayList<>(
            List.of(
                "optimizer",
                "lr",
                "steps",
                "train loss",
                "train acc.",
                "val. loss",
                "val. acc.",
                "best val.",
                "seconds",
                "ms/step",
                "of it K-FAC"));
    if (options.workload().model().text().isPresent()) {
      header.add(6, "perplexity");
    }
    if (options.goal().given()) {
      header.add("steps to " + target(options));
      header.add("seconds to it");
    }
    return header;
  }

  static List<String> row(Summary s, RunOptions options) {
    List<String> row =
        new ArrayList<>(
            List.of(
                s.optimizer().title(),
                number("%.3g", s.learningRate()),
                Long.toString(s.steps()),
                s.failure() != null ? "failed" : number("%.4f", s.trainLoss()),
                percent(s.trainAccuracy()),
                number("%.4f", s.validationLoss()),
                percent(s.validationAccuracy()),
                percent(s.bestAccuracy()),
                number("%.1f", s.seconds()),
                number("%.0f", 1e3 * s.times().total()),
                s.times().kfac() > 0 ? number("%.0f", 1e3 * s.times().kfac()) : "–"));
    if (options.workload().model().text().isPresent()) {
      row.add(6, number("%.1f", s.perplexity()));
    }
    if (options.goal().given()) {
      row.add(s.atTarget().map(v -> Long.toString(v.step())).orElse("–"));
      row.add(s.atTarget().map(v -> number("%.1f", v.seconds())).orElse("–"));
    }
    return row;
  }

  /** The target in words. */
  static String target(RunOptions options) {
    return options.goal().accuracy() != null
        ? percent(options.goal().accuracy())
        : "loss " + number("%.4g", options.goal().loss());
  }

  /** Aligned columns for a terminal. */
  static String text(List<Summary> summaries, RunOptions options) {
    List<List<String>> rows = new ArrayList<>(List.of(header(options)));
    summaries.forEach(summary -> rows.add(row(summary, options)));
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      for (int column = 0; column < row.size(); column++) {
        int index = column;
        int width = rows.stream().mapToInt(r -> r.get(index).length()).max().getAsInt();
        String format = column == 0 ? "%-" + width + "s" : "  %" + width + "s";
        text.append(format.formatted(row.get(column)));
      }
      text.append('\n');
    }
    return text.toString();
  }

  static String percent(double fraction) {
    return number("%.1f %%", 100 * fraction);
  }

  static String number(String format, double value) {
    return Double.isNaN(value) ? "–" : format.formatted(value);
  }
}
