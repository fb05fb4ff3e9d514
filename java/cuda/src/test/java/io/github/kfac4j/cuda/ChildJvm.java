package io.github.kfac4j.cuda;

import io.github.kfac4j.testkit.JavaCommand;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Runs a main class of the tests in a JVM of its own, emulated if this one is. */
public final class ChildJvm {
  private ChildJvm() {}

  /** The lines that the class prints, on a class path of the entries that are kept. */
  public static List<String> run(
      Class<?> main, Predicate<String> keep, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(keep)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> all = new ArrayList<>();
    for (String property :
        List.of(CudaLibrary.EMULATION, "org.bytedeco.javacpp.platform.linkpath")) {
      if (System.getProperty(property) != null) {
        all.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    all.addAll(List.of(options));
    List<String> command = JavaCommand.of(main.getName(), classPath, all, List.of());
    // the log is not part of what the class prints
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + "\n" + output);
    }
    return output.strip().lines().toList();
  }
}
