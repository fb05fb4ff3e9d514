package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.PeerUnavailableException;
import io.github.kfac4j.benchmarks.peers.Peers;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * The command {@code benchmarks.jar}. Without arguments it lists the commands, benchmarks and
 * contenders.
 */
@Command(
    name = "benchmarks",
    mixinStandardHelpOptions = true,
    description = "How fast kfac4j is, beside other libraries.",
    subcommands = {
      ShortCommand.class,
      GuardCommand.class,
      CpuTimeCommand.class,
      CompareCommand.class,
      ReportCommand.class,
      InversionsCommand.class,
      JmhCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Benchmarks implements Runnable {
  @Spec private CommandSpec spec;

  /** Runs the command and ends the process. */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT); // numbers look the same everywhere
    System.setProperty("java.awt.headless", "true"); // charts are files, no display is needed
    System.exit(commandLine().execute(args));
  }

  /** The whole command, ready to execute; what the user can correct is said in one line. */
  public static CommandLine commandLine() {
    return new CommandLine(new Benchmarks())
        .setExecutionExceptionHandler(
            (e, command, parsed) -> {
              if (!(e instanceof IOException
                  || e instanceof IllegalArgumentException
                  || e instanceof PeerUnavailableException)) {
                e.printStackTrace(command.getErr());
              }
              String name = command.getCommandSpec().qualifiedName();
              command.getErr().println(name + ": " + e.getMessage());
              return 1;
            });
  }

  @Override
  public void run() {
    CommandLine command = spec.commandLine();
    command.usage(command.getOut());
    PrintWriter out = command.getOut();
    out.println("\nJMH benchmarks (parameters: contender, shape, threads):");
    BenchmarkList.defaultList()
        .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
        .forEach(benchmark -> out.println("  " + benchmark.getUsername()));
    out.println("\nContenders: cpu, java, cuda, " + String.join(", ", Peers.names()) + ";");
    out.println("for compare, in Python: " + String.join(", ", Peers.scripts("cuda")));
    out.println("\nShapes:");
    Set<String> ids = new TreeSet<>(Cases.all().stream().map(Case::id).toList());
    ids.forEach(id -> out.println("  " + id));
    out.flush();
  }
}
