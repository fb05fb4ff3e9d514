package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.common.TextTable;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.search.Jobs;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.trial.Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** Runs a study with progress on stderr and its results on stdout. */
record StudyOutput(CommandLine command, boolean json) {
  void run(Study.Plan plan, Settings settings, Jobs jobs, Path out) throws IOException {
    try (Study study =
        Study.open(settings, plan, jobs, out, command.getErr(), KnownBackends::openOrBest)) {
      print(study.run(), study.facts(), study.folder().path(), study.complete());
    }
  }

  /**
   * Prints a report.
   *
   * @param facts what determines the results
   * @param complete whether all trials are finished
   */
  void print(StudyReport report, Map<String, String> facts, Path folder, boolean complete) {
    PrintWriter out = command.getOut();
    if (json) {
      Map<String, Object> root = new LinkedHashMap<>();
      root.put("title", report.title());
      root.put("complete", complete);
      root.put("settings", facts);
      root.put("optimizers", report.optimizers());
      root.put("findings", report.findings());
      root.put("out", folder.toString());
      JsonOption.print(root, out);
      return;
    }
    List<List<String>> table = report.table();
    TextTable text = new TextTable(table.get(0).toArray(String[]::new));
    table.subList(1, table.size()).forEach(row -> text.row(row.toArray()));
    out.print(text);
    report.findings().forEach(out::println);
    out.println("report: " + folder.resolve("report.html"));
    out.flush();
  }
}
