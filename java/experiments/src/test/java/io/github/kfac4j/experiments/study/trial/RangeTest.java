package io.github.kfac4j.experiments.study.trial;

import static io.github.kfac4j.experiments.study.trial.Metaparameter.DAMPING;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.LEARNING_RATE;
import static io.github.kfac4j.experiments.study.trial.Metaparameter.MOMENTUM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.experiments.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RangeTest {
  @Test
  void isUniformInTheLogarithm() {
    Range rate = Range.parse(LEARNING_RATE, "1e-4:1");
    assertThat(rate.at(0)).isEqualTo(1e-4, within(1e-18));
    assertThat(rate.at(0.25)).isEqualTo(1e-3, within(1e-12));
    assertThat(rate.at(1)).isEqualTo(1, within(1e-12));
  }

  @Test
  void momentumIsUniformInTheLogarithmOfWhatIsMissingToOne() {
    Range momentum = Range.parse(MOMENTUM, "0:0.99");
    assertThat(momentum.at(0)).isZero();
    assertThat(momentum.at(0.5)).isEqualTo(0.9, within(1e-12));
    assertThat(momentum.at(1)).isEqualTo(0.99, within(1e-12));
    assertThat(momentum.part(momentum.at(0.3))).isEqualTo(0.3, within(1e-12));
  }

  @Test
  void theOuterTenthIsTheEdge() {
    Range damping = Range.parse(DAMPING, "0.001:10");
    assertThat(damping.edge(damping.at(0.09))).isEqualTo("low");
    assertThat(damping.edge(damping.at(0.11))).isNull();
    assertThat(damping.edge(damping.at(0.89))).isNull();
    assertThat(damping.edge(damping.at(0.91))).isEqualTo("high");
    assertThat(Range.parse(DAMPING, "0.5").edge(0.5)).isNull();
  }

  @Test
  void noMomentumIsNoEdge() {
    assertThat(Range.parse(MOMENTUM, "0:0.99").edge(0)).isNull();
    assertThat(Range.parse(MOMENTUM, "0:0.99").edge(0.989)).isEqualTo("high");
    assertThat(Range.parse(MOMENTUM, "0.5:0.99").edge(0.5)).isEqualTo("low");
  }

  @ParameterizedTest
  @CsvSource({
    "LEARNING_RATE, 0:1, --lr must be",
    "LEARNING_RATE, 1:0.1, got 1.0:0.1",
    "LEARNING_RATE, x, --lr: 'x' is not a number",
    "MOMENTUM, 0.5:1, '--momentum must be a value or LOW:HIGH in [0, 1)'",
    "DAMPING, -1, --damping must be",
    "DAMPING, 1:NaN, --damping must be",
  })
  void refusesWhatIsNoRange(Metaparameter metaparameter, String text, String reason) {
    assertThatThrownBy(() -> Range.parse(metaparameter, text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(reason);
  }
}
