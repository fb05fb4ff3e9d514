package io.github.kfac4j.cli;

import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cli.common.KnownBackends;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Where tests of the CUDA backend run: on a GPU, and on the emulated kernels if they were built.
 */
public final class CudaHere {
  private static final String BUILT = "io/github/kfac4j/cuda/natives/linux-x86_64/built.txt";

  private CudaHere() {}

  /** Whether the kernels are emulated. */
  public static boolean emulated() {
    return Boolean.getBoolean("io.github.kfac4j.cuda.emulation");
  }

  /** Skips the test where there is nothing to run on; a backend that should be there must work. */
  public static void assume() {
    if (emulated()) {
      assumeFalse(built().startsWith("skipped"), built());
    } else {
      assumeTrue(
          KnownBackends.all().stream().anyMatch(b -> b.name().equals("cuda") && b.available()),
          "CUDA is not available here");
    }
  }

  private static String built() {
    try (InputStream in = CudaHere.class.getClassLoader().getResourceAsStream(BUILT)) {
      return new String(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
