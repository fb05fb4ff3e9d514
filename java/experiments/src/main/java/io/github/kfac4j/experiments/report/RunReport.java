package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.History;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Writes the result of a run, complete or not. */
public final class RunReport {
  private RunReport() {}

  /** Writes {@code metrics.csv}, {@code curves.png} and {@code report.html}. */
  public static void write(
      Map<OptimizerName, History> histories, RunOptions options, Dataset data, RunFolder folder)
      throws IOException {
    folder.write("metrics.csv", MetricsCsv.of(histories));
    byte[] png = Curves.png(histories);
    folder.write("curves.png", png);
    List<Summary> summaries = Summary.of(histories, options);
    folder.write("report.html", new HtmlReport(summaries, options, data).page(png));
  }

  /** The table for the terminal. */
  public static String table(Map<OptimizerName, History> histories, RunOptions options) {
    return ResultTable.text(Summary.of(histories, options), options);
  }
}
