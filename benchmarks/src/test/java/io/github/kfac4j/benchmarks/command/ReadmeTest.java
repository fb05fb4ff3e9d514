package io.github.kfac4j.benchmarks.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine.ParseResult;

/** The commands that the README of this folder shows can be typed in as they stand. */
class ReadmeTest {
  private static final Pattern COMMAND =
      Pattern.compile("(?m)^java -jar benchmarks/target/benchmarks\\.jar([^#\\n]*)");

  @TestFactory
  List<DynamicTest> commandsAreUnderstood() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    List<DynamicTest> tests =
        COMMAND
            .matcher(readme)
            .results()
            .map(command -> command.group(1).strip())
            .distinct()
            .map(
                line ->
                    DynamicTest.dynamicTest(
                        "benchmarks.jar " + line, () -> requireUnderstood(line)))
            .toList();
    assertThat(tests).hasSizeGreaterThan(5);
    return tests;
  }

  @Test
  void whatFollowsJmhGoesThereInItsOrder() {
    List<String> given = List.of("Inverse", "-p", "contender=cpu,mkl", "-h");
    ParseResult jmh =
        Benchmarks.commandLine()
            .parseArgs(Stream.concat(Stream.of("jmh"), given.stream()).toArray(String[]::new))
            .subcommand();
    assertThat(jmh.unmatched()).isEqualTo(given);
  }

  private static void requireUnderstood(String line) {
    String[] arguments = line.isEmpty() ? new String[0] : line.split("\\s+");
    assertThatCode(() -> Benchmarks.commandLine().parseArgs(arguments)).doesNotThrowAnyException();
  }
}
