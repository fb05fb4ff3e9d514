package io.github.kfac4j.files;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;

/** Named pipes, which Java cannot make by itself. */
public final class Pipes {
  private Pipes() {}

  /** Makes one; skips the test where there is no mkfifo. */
  public static void make(Path path) throws InterruptedException {
    int status;
    try {
      status = new ProcessBuilder("mkfifo", path.toString()).start().waitFor();
    } catch (IOException e) {
      status = -1;
    }
    assumeTrue(status == 0, "there is no mkfifo here");
  }
}
