package io.github.kfac4j.cli;

import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.cli.apply.ApplyCommand;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.Memory;
import io.github.kfac4j.cli.common.Printable;
import io.github.kfac4j.cli.common.Version;
import io.github.kfac4j.cli.info.InfoCommand;
import io.github.kfac4j.cli.nqm.NqmCommand;
import io.github.kfac4j.cli.study.StudyCommand;
import io.github.kfac4j.cli.train.TrainCommand;
import io.github.kfac4j.cli.validate.ValidateCommand;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.safetensors.SafetensorsException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code kfac}. */
@Command(
    name = "kfac",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Kronecker-factored approximate curvature (K-FAC) for the JVM.",
    subcommands = {
      TrainCommand.class,
      ApplyCommand.class,
      ValidateCommand.class,
      NqmCommand.class,
      StudyCommand.class,
      InfoCommand.class,
      CommandLine.HelpCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:success",
      "1:a check failed",
      "2:bad usage or input",
      "3:a demanded backend is unavailable"
    })
public final class KfacCommand implements Runnable {
  private static final int MAX_CHARACTERS = 1000; // of a message

  @Spec private CommandSpec spec;

  /** Runs the command and ends the process with its {@link ExitCode}. */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT); // numbers look the same everywhere
    System.setProperty("java.awt.headless", "true"); // plots are files, no display is needed
    System.setProperty("OPT_OUT_TRACKING", "true"); // DJL would send usage data
    System.exit(run(commandLine(), args));
  }

  /** Executes; failing to write to stdout, or running out of memory, is a failure. */
  private static int run(CommandLine command, String... args) {
    int code;
    try {
      code = command.execute(args);
    } catch (OutOfMemoryError e) {
      return report(command, Memory.advice(e), ExitCode.FAILED);
    }
    boolean lost = System.out.checkError(); // the command's own writers are flushed
    return lost && code == ExitCode.OK
        ? report(command, "the output cannot be written to stdout", ExitCode.FAILED)
        : code;
  }

  /** The whole command, ready to execute; errors become exit codes and single lines. */
  public static CommandLine commandLine() {
    return new CommandLine(new KfacCommand())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, args) -> usageError(e))
        .setExecutionExceptionHandler((e, command, parsed) -> executionError(e, command));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a subcommand is needed");
  }

  private static int usageError(ParameterException e) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    return report(command, "%s (see %s --help)".formatted(e.getMessage(), name), 2);
  }

  private static int executionError(Exception e, CommandLine command) {
    if (e instanceof BadInputException || e instanceof SafetensorsException) {
      return report(command, e.getMessage(), ExitCode.BAD_INPUT);
    }
    if (e instanceof BackendUnavailableException) {
      return report(command, e.getMessage(), ExitCode.UNAVAILABLE);
    }
    if (e instanceof InversionFailedException) {
      return report(command, e.getMessage(), ExitCode.FAILED);
    }
    e.printStackTrace(command.getErr()); // a defect of ours: the trace is what helps
    return report(command, "unexpected error: " + e, ExitCode.FAILED);
  }

  private static int report(CommandLine command, String message, int exitCode) {
    // it may quote a file
    String line = Printable.line(message.strip().replaceAll("\\s*\\R\\s*", "; "));
    if (line.length() > MAX_CHARACTERS) {
      line = line.substring(0, MAX_CHARACTERS) + "...";
    }
    command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + line);
    command.getErr().flush();
    return exitCode;
  }
}
