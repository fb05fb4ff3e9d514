package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command {@code benchmarks.jar}. Without arguments it lists what there is. */
@Command(
    name = "benchmarks",
    mixinStandardHelpOptions = true,
    description = "How fast kfac4j is, beside other libraries.",
    subcommands = {CompareCommand.class, CommandLine.HelpCommand.class})
public final class Benchmarks implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Runs the command and ends the process. */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT); // numbers look the same everywhere
    System.exit(new CommandLine(new Benchmarks()).execute(args));
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
    System.out.println("\nCases (verb, name):");
    for (Case c : Cases.all()) {
      System.out.println("  " + c.id());
    }
  }
}
