package io.github.kfac4j.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import org.junit.jupiter.api.Test;

/** How the backend is found, and what it says where it cannot run. */
class AvailabilityTest {
  @Test
  void isFoundByNameAndPreferredToPureJava() {
    try (Backend named = Backends.require("cpu");
        Backend best = Backends.best()) {
      assertThat(named.name()).isEqualTo("cpu");
      assertThat(best.name()).isEqualTo("cpu");
    }
  }

  @Test
  void withoutNativeCodeTheReasonIsOneLineWithTheRemedy() throws Exception {
    String output =
        ChildJvm.run(PrintReason.class, entry -> !entry.matches(".*openblas.*-x86_64.*\\.jar"));
    assertThat(output.strip().lines().toList()).hasSize(1);
    assertThat(output).contains("jniopenblas", "org.bytedeco:openblas", "linux-x86_64");
  }

  @Test
  void withoutThePresetItselfTheReasonNamesTheMissingClass() throws Exception {
    String output = ChildJvm.run(PrintReason.class, entry -> !entry.contains("openblas"));
    assertThat(output.strip().lines().toList()).hasSize(1);
    assertThat(output).contains("ClassNotFoundException", "org.bytedeco:openblas");
  }

  /** Prints why the backend cannot be used. */
  static final class PrintReason {
    public static void main(String[] args) {
      System.out.println(new CpuBackendProvider().unavailableReason());
    }
  }
}
