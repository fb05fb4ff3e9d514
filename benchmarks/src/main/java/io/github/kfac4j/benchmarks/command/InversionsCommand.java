package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.report.Inversions;
import io.github.kfac4j.benchmarks.run.Machine;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which algorithm inverts fastest on the GPU that was measured. */
@Command(
    name = "inversions",
    mixinStandardHelpOptions = true,
    description =
        "From a file of results that has every algorithm for inverses: their times, and the table"
            + " that native/cuda/invert_table.h should hold for this GPU.")
final class InversionsCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "file of results")
  private Path file;

  @Option(
      names = "--table",
      paramLabel = "HEADER",
      description = "native/cuda/invert_table.h, whose rows are replaced")
  private Path table;

  @Override
  public Integer call() throws IOException {
    Results results = Results.read(file);
    Inversions inversions = new Inversions(results);
    System.out.print(inversions.text());
    if (table != null) {
      String header = Files.readString(table);
      Files.writeString(table, inversions.table(header, where(results)));
      System.out.println("written to " + table);
    }
    return 0;
  }

  private static String where(Results results) {
    Machine machine = results.machine();
    String commits =
        results.measurements().stream()
            .map(Measurement::commit)
            .distinct()
            .collect(Collectors.joining(", "));
    return "%s, driver %s, commit %s".formatted(machine.gpu(), machine.driver(), commits);
  }
}
