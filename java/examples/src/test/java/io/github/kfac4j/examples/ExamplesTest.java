package io.github.kfac4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each example in a JVM of its own, as two builds of libtorch need. Numbers may differ from the
 * expected ones by what other rounding makes of them. With the fp64 backend in the place of
 * OpenBLAS it made nothing of the digits that are printed; trainers round otherwise too on other
 * processors, for which two units of the last digit and 1 % are left.
 */
class ExamplesTest {
  private static final double DIGITS = 0.002;
  private static final double RELATIVE = 0.01;
  private static final Path SOURCES = Path.of("src/main/java/io/github/kfac4j/examples");
  private static final Path EXPECTED = Path.of("src/test/resources/expected");
  private static final Pattern NUMBER = Pattern.compile("\\d+\\.\\d+");

  static List<String> programs() throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      List<String> found = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        if (Files.readString(file).contains("public static void main(")) {
          found.add(file.getFileName().toString().replace(".java", ""));
        }
      }
      return found;
    }
  }

  @Test
  void areAllThere() throws IOException {
    assertThat(programs()).hasSize(7);
  }

  @ParameterizedTest
  @MethodSource("programs")
  void printWhatIsExpected(String program, @TempDir Path folder) throws Exception {
    List<String> printed = run(program, folder);
    List<String> expected = Files.readAllLines(EXPECTED.resolve(program + ".txt"));
    assertThat(words(printed)).isEqualTo(words(expected));
    List<Double> actual = numbers(printed);
    List<Double> wanted = numbers(expected);
    assertThat(wanted).isNotEmpty();
    for (int i = 0; i < wanted.size(); i++) {
      assertThat(actual.get(i)).isCloseTo(wanted.get(i), within(DIGITS + RELATIVE * wanted.get(i)));
    }
  }

  private static List<String> run(String program, Path folder) throws Exception {
    Path output = folder.resolve("output");
    Path errors = folder.resolve("errors");
    String path = System.getProperty("surefire.test.class.path");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "-Dai.djl.offline=true",
            "-Djava.io.tmpdir=" + folder,
            "-cp",
            path == null ? System.getProperty("java.class.path") : path,
            "io.github.kfac4j.examples." + program);
    builder.environment().put("OMP_NUM_THREADS", "1");
    builder.environment().put("OPT_OUT_TRACKING", "true");
    Process process =
        builder.redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    if (!ended) {
      process.destroyForcibly().waitFor();
    }
    assertThat(ended && process.exitValue() == 0)
        .as(program + " ended well: " + Files.readString(errors))
        .isTrue();
    return Files.readAllLines(output);
  }

  private static List<String> words(List<String> lines) {
    return lines.stream().map(line -> NUMBER.matcher(line).replaceAll("#")).toList();
  }

  private static List<Double> numbers(List<String> lines) {
    return lines.stream()
        .flatMap(line -> NUMBER.matcher(line).results())
        .map(match -> Double.valueOf(match.group()))
        .toList();
  }
}
