package io.github.kfac4j.experiments.study.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetTest {
  /** Ma et al. (2019): 100 epochs with a batch of 128, 200 with 256, 800 with 16,384. */
  @ParameterizedTest
  @CsvSource({
    "steps:400, 32, 400",
    "epochs:1.5, 100, 825",
    "adjusted:100, 128, 42969",
    "adjusted:100, 256, 42969",
    "adjusted:100, 16384, 2686",
    "adjusted:100, 64, 85938",
    "'steps:400,epochs:2', 32, 3438",
    "'steps:400,epochs:2', 1024, 400"
  })
  void isSoManySteps(String text, int batch, long steps) {
    assertThat(Budget.parse(text).steps(batch, 55_000)).isEqualTo(steps);
  }

  @ParameterizedTest
  @CsvSource({
    "400, --budget '400' is not steps:N",
    "hours:2, --budget: unknown 'hours'",
    "steps:0, '--budget: steps must be positive and whole, got 0'",
    "steps:1.5, '--budget: steps must be positive and whole, got 1.5'",
    "adjusted:NaN, '--budget: adjusted must be positive, got NaN'"
  })
  void refusesOthers(String text, String reason) {
    assertThatThrownBy(() -> Budget.parse(text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(reason);
  }
}
