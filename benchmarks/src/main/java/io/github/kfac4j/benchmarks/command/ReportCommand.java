package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes tables and charts of results. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Makes report.md and charts of files of results.")
final class ReportCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "FILE", description = "files of results")
  private List<Path> files;

  @Option(
      names = "--out",
      defaultValue = "benchmarks/results",
      description = "folder; default: ${DEFAULT-VALUE}")
  private Path out;

  @Option(
      names = "--reasons",
      defaultValue = "benchmarks/results/reasons.json",
      description = "why targets are missed; default: ${DEFAULT-VALUE}")
  private Path reasons;

  @Option(names = "--readme", description = "a README to put an excerpt into, between its marks")
  private Path readme;

  @Override
  public Integer call() throws IOException {
    Report report = new Report(out, Report.reasons(reasons));
    for (Path file : files) {
      report.add(file);
    }
    System.out.println(report.write());
    if (readme != null) {
      report.embed(readme);
    }
    return 0;
  }
}
