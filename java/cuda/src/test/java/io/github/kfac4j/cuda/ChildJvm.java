package io.github.kfac4j.cuda;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Runs a main class of the tests in a JVM of its own, emulated if this one is. */
final class ChildJvm {
  private ChildJvm() {}

  /** The lines that the class prints, on a class path of the entries that are kept. */
  static List<String> run(
      Class<?> main, Predicate<String> keep, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(keep)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED"); // else it warns on the output that is read
    }
    for (String property :
        List.of(CudaLibrary.EMULATION, "org.bytedeco.javacpp.platform.linkpath")) {
      if (System.getProperty(property) != null) {
        command.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", classPath, main.getName()));
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
