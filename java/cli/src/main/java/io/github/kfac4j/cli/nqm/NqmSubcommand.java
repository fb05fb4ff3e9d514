package io.github.kfac4j.cli.nqm;

import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.experiments.BadInputException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What the subcommands of {@code nqm} share. */
abstract class NqmSubcommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private JsonOption json;

  @Override
  public final Integer call() {
    try {
      return execute();
    } catch (IllegalArgumentException e) {
      // the library refuses what is outside its range, in words meant for the user
      throw new BadInputException(e.getMessage(), e);
    }
  }

  /** Does the work and returns the exit code. */
  abstract int execute();

  /** Prints the result: the document as JSON, or else the text. */
  final void print(Object document, String text) {
    PrintWriter out = spec.commandLine().getOut();
    if (json.enabled()) {
      JsonOption.print(document, out);
    } else {
      out.print(text);
      out.flush();
    }
  }

  /** Prints a line for the user beside the result. */
  final void note(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(spec.qualifiedName() + ": " + line);
    err.flush();
  }
}
