package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.Backends;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How the backend is found, and what it says where it cannot run. Needs no GPU. */
class AvailabilityTest {
  @Test
  void isPreferredToAllOthers() {
    BackendProvider first = Backends.providers().get(0);
    assertThat(first.name()).isEqualTo("cuda");
  }

  @Test
  void isThereOrSaysWhyNotInOneLine() {
    String reason = new CudaBackendProvider().unavailableReason();
    if (reason == null) {
      try (Backend backend = Backends.require("cuda")) {
        assertThat(backend.name()).isEqualTo("cuda");
      }
      return;
    }
    assertThat(reason).doesNotContain("\n").contains("; ");
    assertThatThrownBy(() -> Backends.require("cuda"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining(reason);
    assertThatThrownBy(() -> new CudaBackend(0))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining(reason);
    try (Backend best = Backends.best()) {
      assertThat(best.name()).as("falls back").isNotEqualTo("cuda");
    }
  }

  @Test
  void withoutTheKernelsTheReasonNamesThemAndTheRemedy() throws Exception {
    List<String> lines =
        CudaJvm.run(
            PrintReason.class,
            entry -> true,
            Map.of(),
            "-Dorg.bytedeco.javacpp.platform=linux-riscv64"); // for which there are none
    assertThat(lines).hasSize(1);
    boolean kernelsWereBuilt = CudaLibrary.built() == null;
    assertThat(lines.get(0))
        .contains(
            kernelsWereBuilt
                ? List.of("linux-riscv64", "; ", "classifier linux-x86_64")
                : List.of("; ", "build it with the CUDA 13 toolkit installed"));
  }

  /** Prints why the backend cannot be used. */
  static final class PrintReason {
    public static void main(String[] args) {
      System.out.println(new CudaBackendProvider().unavailableReason());
    }
  }
}
