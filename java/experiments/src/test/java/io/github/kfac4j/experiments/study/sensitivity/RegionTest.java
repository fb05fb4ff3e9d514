package io.github.kfac4j.experiments.study.sensitivity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.experiments.study.search.Results;
import io.github.kfac4j.experiments.study.trial.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegionTest {
  private static Region region(Result... results) {
    return Region.of(List.of(results)).get(0);
  }

  @Test
  void countsWhatReachedTheGoal() {
    Region region =
        region(
            Results.of(32, 0, 0.01, 0.1, 40L),
            Results.of(32, 1, 0.1, 0.1, null),
            Results.of(32, 2, 0.01, 1, 20L),
            Results.of(32, 3, 0.1, 1, null));
    assertThat(region.fraction()).isEqualTo(0.5);
    assertThat(region.diverged()).isEqualTo(2);
    assertThat(region.fewestSteps()).isEqualTo(20);
    assertThat(region.coupling()).as("one learning rate alone").isNull();
    assertThat(Region.of(List.of(Results.of(1, 0, 1, 1, null), Results.of(2, 0, 1, 1, null))))
        .hasSize(2)
        .allSatisfy(empty -> assertThat(empty.fewestSteps()).isNull());
  }

  @Test
  void couplingIsACorrelationOfLogarithms() {
    Region diagonal =
        region(
            Results.of(32, 0, 0.01, 0.1, 1L),
            Results.of(32, 1, 0.1, 10, 1L),
            Results.of(32, 2, 1, 1000, 1L),
            Results.of(32, 3, 1, 1e-9, null));
    assertThat(diagonal.coupling()).isEqualTo(1, within(1e-12));
    Region bent =
        region(
            Results.of(32, 0, 1, 1, 1L),
            Results.of(32, 1, 10, 10, 1L),
            Results.of(32, 2, 100, 1, 1L));
    assertThat(bent.coupling()).isEqualTo(0, within(1e-12));
  }
}
