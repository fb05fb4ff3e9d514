package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.report.Inversions;
import io.github.kfac4j.benchmarks.run.Results;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
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

  @Override
  public Integer call() throws IOException {
    System.out.print(new Inversions(Results.read(file)).text());
    return 0;
  }
}
