package io.github.kfac4j.benchmarks.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** JMH's own command line. */
@Command(
    name = "jmh",
    description = {
      "Runs JMH, whose options follow; -h lists them.",
      "Example: jmh Inverse -p contender=cpu,openblas -p 'shape=inverse n=576'"
    })
final class JmhCommand implements Callable<Integer> {
  /** All that follows, in its order: picocli knows none of it. */
  @Unmatched private final List<String> options = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    org.openjdk.jmh.Main.main(options.toArray(String[]::new));
    return 0;
  }
}
