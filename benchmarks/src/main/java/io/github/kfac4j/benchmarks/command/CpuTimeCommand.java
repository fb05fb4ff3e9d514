package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.CpuTime;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The cost of cases in CPU time, by which two builds are compared. */
@Command(
    name = "cpu-time",
    mixinStandardHelpOptions = true,
    description =
        "CPU time of cases, to compare two builds where other programs run too: call the jars of"
            + " both in turn, several times. A line for each case, separated by tabs: case, threads,"
            + " milliseconds of CPU time a call, of wall time; medians of five samples.")
final class CpuTimeCommand implements Runnable {
  private static final long SEED = 1;

  @Spec private CommandSpec spec;

  @Option(
      names = "--contender",
      defaultValue = "cpu",
      description = "a backend of ours; default: ${DEFAULT-VALUE}")
  private String contender;

  @Option(names = "--threads", description = "of the backend; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Parameters(arity = "1..*", paramLabel = "CASE", description = "as in cases.json")
  private List<String> ids = new ArrayList<>();

  @Override
  public void run() {
    List<Case> cases = ids.stream().map(Cases::byId).toList();
    try (Contender ours = OwnContenders.open(contender, threads)) {
      for (Case c : cases) {
        try (Work work = ours.prepare(c, SEED)) {
          CpuTime time = CpuTime.of(work);
          spec.commandLine()
              .getOut()
              .printf(
                  Locale.ROOT,
                  "%s\t%d\t%.5f\t%.5f%n",
                  c.id(),
                  threads,
                  time.cpuMillis(),
                  time.wallMillis())
              .flush();
        }
      }
    }
  }
}
