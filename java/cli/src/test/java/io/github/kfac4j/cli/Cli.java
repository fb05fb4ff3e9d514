package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.testkit.JavaCommand;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/** Runs the command, inside this process or in one of its own. */
public final class Cli {
  private Cli() {}

  /** What a run left behind. */
  public record Outcome(int exitCode, String out, String err) {}

  public static Outcome run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command =
        KfacCommand.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int exitCode = command.execute(args);
    return new Outcome(exitCode, out.toString(), err.toString());
  }

  /** Runs a command that must succeed and whose stdout must be one JSON document. */
  public static JsonNode json(String... args) {
    PrintStream console = System.out;
    ByteArrayOutputStream stray = new ByteArrayOutputStream();
    System.setOut(new PrintStream(stray, true));
    Outcome outcome;
    try {
      outcome = run(args);
    } finally {
      System.setOut(console);
    }
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(stray.toString()).as("printed past the command's own stream").isEmpty();
    return parse(outcome.out());
  }

  /** Starts the command in a JVM of its own; what it prints goes to the log. */
  public static Process start(List<String> jvmOptions, List<String> args, Path log)
      throws IOException {
    List<String> command = JavaCommand.of(KfacCommand.class.getName(), jvmOptions, args);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  /** The one JSON document that {@code text} is. */
  public static JsonNode parse(String text) {
    try {
      return new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError("not one JSON document: " + text, e);
    }
  }
}
