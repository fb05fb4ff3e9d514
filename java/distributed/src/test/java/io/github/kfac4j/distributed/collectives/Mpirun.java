package io.github.kfac4j.distributed.collectives;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.testkit.JavaCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Real processes under mpirun. */
public final class Mpirun {
  private static final long LIMIT_SECONDS = 180;

  private Mpirun() {}

  /** Skips the tests, with the reason, where there is no MPI. */
  public static void assume() {
    String reason = missing();
    if (reason != null) {
      System.out.println("tests with mpirun are skipped: " + reason);
    }
    assumeTrue(reason == null, reason);
  }

  private static String missing() {
    boolean found =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(dir -> Files.isExecutable(Path.of(dir, "mpirun")));
    if (!found) {
      return "no mpirun on the PATH (Debian: openmpi-bin)";
    }
    String built = MpiRuntime.built();
    return built.startsWith("built") ? null : built;
  }

  /** Starts a main class on so many ranks; what they print goes to the log. */
  public static Process start(
      int ranks, List<String> jvmOptions, String main, List<String> arguments, Path log)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"));
    command.addAll(List.of("-x", "OMP_NUM_THREADS=1", "-n", String.valueOf(ranks)));
    command.add("env"); // of a command that it knows as Java, mpirun changes the arguments
    command.addAll(JavaCommand.of(main, jvmOptions, arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  /** The exit code; a job that hangs is ended and fails the test. */
  public static int await(Process process, Path log) throws IOException, InterruptedException {
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("mpirun hangs: " + Files.readString(log));
    }
    return process.exitValue();
  }
}
