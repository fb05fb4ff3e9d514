package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.testkit.JavaCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class KfacCommandTest {

  @Test
  void outputThatCannotBeWrittenIsExitCode1(@TempDir Path directory) throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "there is no /dev/full here");
    Path log = directory.resolve("log");
    for (String[] arguments : new String[][] {{"info", "--json"}, {"--help"}}) {
      List<String> command =
          JavaCommand.of(KfacCommand.class.getName(), List.of(), List.of(arguments));
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(full.toFile())
              .redirectError(log.toFile())
              .start();
      assertThat(process.waitFor()).isEqualTo(1);
      assertThat(log).content().contains("kfac: the output cannot be written to stdout");
    }
  }

  @Test
  void aMessageIsOneLineOfPrintableTextThatFitsOnAScreen() {
    Cli.Outcome outcome = failWith(new BadInputException("a\u001b[2J\nb" + "x".repeat(1_000_000)));
    assertThat(outcome.err()).startsWith("kfac fail: a?[2J; bx").hasLineCount(1);
    assertThat(outcome.err()).hasSizeLessThan(1100);
  }

  @Test
  void helpGoesToStdoutForEveryCommand() {
    for (String name : KfacCommand.commandLine().getSubcommands().keySet()) {
      if (!name.equals("help")) {
        Cli.Outcome outcome = Cli.run(name, "--help");
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).startsWith("Usage: kfac " + name);
        assertThat(outcome.err()).isEmpty();
      }
    }
    assertThat(Cli.run("--help").out()).contains("Exit codes:");
    assertThat(Cli.run("--version").out()).startsWith("kfac ");
  }

  @ParameterizedTest
  @CsvSource({
    "'', a subcommand is needed",
    "fly, Unmatched argument at index 0: 'fly'",
    "--fly, Unknown option: '--fly'"
  })
  void badUsageIsOneLineAndExitCode2(String argument, String reason) {
    Cli.Outcome outcome = argument.isEmpty() ? Cli.run() : Cli.run(argument);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).startsWith("kfac: " + reason).hasLineCount(1);
  }

  @Command(name = "fail")
  private record Failing(RuntimeException failure) implements Runnable {
    @Override
    public void run() {
      throw failure;
    }
  }

  private static Cli.Outcome failWith(RuntimeException failure) {
    java.io.StringWriter err = new java.io.StringWriter();
    CommandLine kfac = KfacCommand.commandLine();
    kfac.addSubcommand(new Failing(failure));
    // handlers are copied to subcommands when they are set
    kfac.setExecutionExceptionHandler(kfac.getExecutionExceptionHandler());
    kfac.setErr(new java.io.PrintWriter(err));
    return new Cli.Outcome(kfac.execute("fail"), "", err.toString());
  }

  @Test
  void exceptionsBecomeExitCodes() {
    Cli.Outcome badInput = failWith(new BadInputException("no such\nlayer"));
    assertThat(badInput.exitCode()).isEqualTo(2);
    assertThat(badInput.err()).isEqualTo("kfac fail: no such; layer\n");

    Cli.Outcome unavailable = failWith(new BackendUnavailableException("cuda", "no GPU"));
    assertThat(unavailable.exitCode()).isEqualTo(3);
    assertThat(unavailable.err()).isEqualTo("kfac fail: backend 'cuda' is not available: no GPU\n");

    Cli.Outcome defect = failWith(new IllegalStateException("oops"));
    assertThat(defect.exitCode()).isEqualTo(1);
    assertThat(defect.err()).contains("IllegalStateException: oops", "at io.github.kfac4j");
  }
}
