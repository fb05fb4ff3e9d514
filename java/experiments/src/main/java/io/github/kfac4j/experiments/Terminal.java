package io.github.kfac4j.experiments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The terminal, if the command has one. */
public final class Terminal {
  private Terminal() {}

  /** Whether stderr is a terminal; System.console() cannot tell from JDK 22 on. */
  public static boolean isStderr() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
