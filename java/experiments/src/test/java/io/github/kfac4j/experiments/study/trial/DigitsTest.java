package io.github.kfac4j.experiments.study.trial;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DigitsTest {
  @ParameterizedTest
  @CsvSource({
    "0.05, 6, 0.05",
    "0.0123456, 3, 0.0123",
    "100, 2, 100",
    "12345, 2, 12000",
    "0, 3, 0",
    "0.0000123456, 3, 0.0000123",
    "1e-9, 3, 1E-9"
  })
  void areShort(double value, int digits, String text) {
    assertThat(Digits.significant(value, digits)).isEqualTo(text);
  }
}
