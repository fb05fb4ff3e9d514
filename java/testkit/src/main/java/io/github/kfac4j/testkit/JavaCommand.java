package io.github.kfac4j.testkit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How tests start a JVM of its own, like the one that they run in. */
public final class JavaCommand {
  private JavaCommand() {}

  /** The command that runs a main class on a class path. */
  public static List<String> of(
      String main, String classPath, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED"); // else it warns on the output that is read
    }
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(arguments);
    return command;
  }

  /** The same on the class path of the tests. */
  public static List<String> of(String main, List<String> options, List<String> arguments) {
    return of(main, System.getProperty("java.class.path"), options, arguments);
  }
}
