package io.github.kfac4j.testkit;

import java.io.IOException;
import java.nio.file.Path;

/** Named pipes, which Java cannot make by itself. */
public final class Pipes {
  private Pipes() {}

  /** Makes one; false where there is no mkfifo. */
  public static boolean make(Path path) throws InterruptedException {
    try {
      return new ProcessBuilder("mkfifo", path.toString()).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
