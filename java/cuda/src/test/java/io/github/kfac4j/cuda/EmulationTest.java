package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The emulation is never taken for a GPU. */
@RequiresCuda
class EmulationTest {
  @Test
  void isRefusedUnlessATestAsksForIt() throws Exception {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "there is a GPU here");
    assertThat(CudaLibrary.build()).startsWith("emulated");
    List<String> lines =
        CudaJvm.run(
            AvailabilityTest.PrintReason.class,
            entry -> true,
            Map.of(),
            "-D" + CudaLibrary.EMULATION + "=false");
    assertThat(lines).hasSize(1);
    assertThat(lines.get(0)).contains("emulation", "tests only", "classifier linux-x86_64");
  }
}
