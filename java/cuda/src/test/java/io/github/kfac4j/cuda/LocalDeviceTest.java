package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LocalDeviceTest {
  @Test
  void ranksOfAMachineTakeADeviceEach() {
    Map<String, String> third = Map.of("OMPI_COMM_WORLD_LOCAL_RANK", "2");
    assertThat(LocalDevice.of(Map.of(), 4)).isZero();
    assertThat(LocalDevice.of(third, 4)).isEqualTo(2);
    assertThat(LocalDevice.of(Map.of("SLURM_LOCALID", "3"), 4)).isEqualTo(3);
    assertThat(LocalDevice.of(third, 1)).as("each sees its own alone").isZero();
    assertThatThrownBy(() -> LocalDevice.of(third, 2))
        .hasMessageContaining("rank 2")
        .hasMessageContaining("2 GPUs: start one rank a GPU");
  }
}
