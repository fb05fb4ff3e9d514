package io.github.kfac4j.experiments.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {
  private static final String TASKS = "SLURM_STEP_NUM_TASKS";

  @Test
  void slurmSaysHowManyTasksThereAre() {
    assertThat(Team.tasks(Map.of())).isEqualTo(1);
    assertThat(Team.tasks(Map.of(TASKS, ""))).as("empty is as unset").isEqualTo(1);
    assertThat(Team.tasks(Map.of(TASKS, "16"))).isEqualTo(16);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2(x3)", "two", "-1", "4294967296", " "})
  void whatIsNoNumberOfTasksIsNamed(String value) {
    assertThatThrownBy(() -> Team.tasks(Map.of(TASKS, value)))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(TASKS + " is '" + value + "', which is no number of tasks");
  }
}
