package io.github.kfac4j.cli.nqm;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code nqm}. */
@Command(
    name = "nqm",
    mixinStandardHelpOptions = true,
    description =
        "The noisy quadratic model of Zhang et al. (2019): how optimizers scale with the batch size.",
    subcommands = {
      StepsCommand.class,
      RiskCommand.class,
      ScheduleCommand.class,
      CriticalCommand.class,
      FigureCommand.class
    })
public final class NqmCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a subcommand is needed");
  }
}
