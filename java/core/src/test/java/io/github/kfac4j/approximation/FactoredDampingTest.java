package io.github.kfac4j.approximation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.options.Convention;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class FactoredDampingTest {
  @Test
  void threeFactorsFollowTheFormulaAndMultiplyToLambda() {
    double[] c = {0.5, 7, 0.03};
    double[] d = FactoredDamping.split(0.2, c);
    for (int i = 0; i < 3; i++) {
      double others = c[0] * c[1] * c[2] / c[i];
      double expected = Math.cbrt(0.2) * Math.cbrt(c[i] * c[i] / others);
      assertThat(d[i]).isCloseTo(expected, Percentage.withPercentage(1e-10));
    }
    assertThat(d[0] * d[1] * d[2]).isCloseTo(0.2, within(1e-14));
  }

  @Test
  void twoFactorsAreSplitByPi() {
    double[] d = FactoredDamping.split(0.2, 3, 0.5);
    FactoredDamping pi = FactoredDamping.split(Convention.KFC, 0.2, 3, 4, 0.5, 6);
    assertThat(d[0]).isCloseTo(pi.a(), within(1e-14));
    assertThat(d[1]).isCloseTo(pi.g(), within(1e-14));
  }

  @Test
  void aVanishedFactorMakesAllEqual() {
    assertThat(FactoredDamping.split(0.008, 1, 0, 5)).containsOnly(Math.cbrt(0.008));
  }
}
