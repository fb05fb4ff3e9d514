package io.github.kfac4j.cli.study;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code study}. */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    description = "What the papers report, measured or predicted here.",
    subcommands = {
      BatchSizeCommand.class,
      SensitivityCommand.class,
      SpectrumCommand.class,
      ReportCommand.class,
      VerdictsCommand.class,
      WorkerCommand.class,
      ScalingCommand.class
    })
public final class StudyCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a subcommand is needed");
  }
}
