package io.github.kfac4j.cpu;

import io.github.kfac4j.testkit.JavaCommand;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Runs a main class of the tests in a JVM of its own. */
final class ChildJvm {
  private ChildJvm() {}

  /** Drops the entries of a class path that match. */
  static UnaryOperator<String> without(Predicate<String> entries) {
    return entry -> entries.test(entry) ? null : entry;
  }

  /** What the class prints, on a class path whose entries are replaced, or dropped if null. */
  static String run(Class<?> main, UnaryOperator<String> entries, String... options)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entries)
            .filter(Objects::nonNull)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = JavaCommand.of(main.getName(), classPath, List.of(options), List.of());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + "\n" + output);
    }
    return output;
  }
}
