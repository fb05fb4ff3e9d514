package io.github.kfac4j.distributed.collectives;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class MpiRuntimeTest {
  @Test
  void aProcessKnowsWhetherItIsARank() {
    assertThat(MpiRuntime.launched(Map.of())).isFalse();
    assertThat(MpiRuntime.launched(Map.of("OMPI_COMM_WORLD_SIZE", "1"))).isFalse();
    assertThat(MpiRuntime.launched(Map.of("OMPI_COMM_WORLD_SIZE", "4"))).isTrue();
    assertThat(MpiRuntime.launched(Map.of("SLURM_STEP_NUM_TASKS", "4"))).isFalse();
    assertThat(MpiRuntime.launched(Map.of("PMIX_RANK", "0", "SLURM_STEP_NUM_TASKS", "4"))).isTrue();
  }
}
