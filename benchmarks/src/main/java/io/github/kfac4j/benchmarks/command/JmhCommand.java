package io.github.kfac4j.benchmarks.command;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Unmatched;

/** JMH's own command line. */
@Command(
    name = "jmh",
    description = {
      "Runs JMH, whose options follow; -h lists them.",
      "Example: jmh Inverse -p contender=cpu,openblas -p 'shape=inverse n=576'"
    })
final class JmhCommand implements Callable<Integer> {
  @Parameters(arity = "0..*", hidden = true)
  private List<String> names = List.of();

  @Unmatched private List<String> options = List.of();

  @picocli.CommandLine.Spec private picocli.CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<String> given = spec.commandLine().getParseResult().originalArgs();
    org.openjdk.jmh.Main.main(given.toArray(String[]::new));
    return 0;
  }
}
