package io.github.kfac4j.testkit;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Runs a main class of the tests in a JVM of its own. */
public final class ChildJvm {
  private ChildJvm() {}

  /** Drops the entries of a class path that match. */
  public static UnaryOperator<String> without(Predicate<String> entries) {
    return entry -> entries.test(entry) ? null : entry;
  }

  /** What the class prints to stdout and stderr; see the other method. */
  public static String run(Class<?> main, UnaryOperator<String> entries, String... options)
      throws IOException, InterruptedException {
    return run(main, entries, Map.of(), true, List.of(options));
  }

  /**
   * What the class prints.
   *
   * @param entries replaces those of the class path, or drops those for which it gives null
   * @param environment variables in addition
   * @param withErrors whether stderr is a part of it, rather than of that of the tests
   * @param options of the JVM
   * @throws AssertionError if it does not end with 0
   */
  public static String run(
      Class<?> main,
      UnaryOperator<String> entries,
      Map<String, String> environment,
      boolean withErrors,
      List<String> options)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entries)
            .filter(Objects::nonNull)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = JavaCommand.of(main.getName(), classPath, options, List.of());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(withErrors);
    if (!withErrors) {
      builder.redirectError(Redirect.INHERIT);
    }
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + "\n" + output);
    }
    return output;
  }
}
