package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AlgorithmTest {
  /** The setting of Figures 2 and 11. */
  private static final double X = 5e-4;

  private static Algorithm momentum(double oneMinusBeta) {
    return Algorithm.momentum(X, 1 - oneMinusBeta);
  }

  @Test
  void momentumConvergesFastestAtCriticalDamping() {
    double critical = 1 - Math.pow(1 - Math.sqrt(X), 2);
    assertThat(critical).isCloseTo(0.04422, within(5e-6));
    double peak = momentum(critical).convergenceRate(1);
    assertThat(peak).isCloseTo(0.02236, within(5e-5));
    for (double e = -3; e < 0; e += 0.01) {
      assertThat(momentum(Math.pow(10, e)).convergenceRate(1)).isLessThanOrEqualTo(peak + 1e-9);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "0.25,1", "0.1,5", "0.0625,16"})
  void overdampedMomentumConvergesLikeTheEffectiveRate(double oneMinusBeta, double percent) {
    Algorithm heavyBall = momentum(oneMinusBeta);
    assertThat(heavyBall.convergenceRate(1))
        .isCloseTo(heavyBall.effectiveLearningRate(), withinPercentage(percent + 0.6));
  }

  @Test
  void underdampedMomentumConvergesWithTheRootOfBeta() {
    assertThat(momentum(0.01).convergenceRate(1)).isCloseTo(0.005, withinPercentage(1));
  }

  /** Figure 11. */
  @ParameterizedTest
  @CsvSource({"50,.20,.01", "100,.021,.001", "200,.008,.0005", "500,.001,.0005", "1000,0,3e-4"})
  void theFirstTermFollowsTheEffectiveRate(long steps, double largest, double tolerance) {
    double worst = 0;
    for (double e = -5; e <= 0; e += 0.005) {
      Algorithm heavyBall = momentum(Math.pow(2, e));
      Algorithm sgd = Algorithm.sgd(heavyBall.effectiveLearningRate());
      worst =
          Math.max(worst, Math.abs(heavyBall.initialShare(1, steps) - sgd.initialShare(1, steps)));
    }
    assertThat(worst).isCloseTo(largest, within(tolerance));
  }

  @Test
  void preconditioningActsThroughTheCurvature() {
    Spectrum spectrum = Spectrum.of(0.01);
    Algorithm sgd = Algorithm.sgd(0.3);
    double share = sgd.initialShare(Math.sqrt(0.01), 7);
    NoisyQuadratic quiet = new NoisyQuadratic(spectrum, 0.5, 1e300);
    assertThat(quiet.risk(sgd, 7)).isCloseTo(0.5 * 0.01 * share, withinPercentage(1e-9));
  }

  @Test
  void nothingHasHappenedBeforeTheFirstStep() {
    Algorithm heavyBall = Algorithm.momentum(0.1, 0.9);
    assertThat(heavyBall.initialShare(1, 0)).isEqualTo(1);
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0, 4);
    assertThat(model.risk(heavyBall, 0)).isEqualTo(model.initialRisk());
    assertThat(model.upperBound(heavyBall, 0)).isGreaterThan(model.initialRisk());
  }

  @Test
  void theUpperBoundMeetsTheRiskInTheEnd() {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0.25, 4);
    for (Algorithm a :
        new Algorithm[] {
          Algorithm.sgd(0.5), Algorithm.momentum(0.1, 0.9), Algorithm.ema(0.5, 0.99)
        }) {
      for (long t = 1; t < 2000; t *= 2) {
        assertThat(model.upperBound(a, t)).isGreaterThan(model.risk(a, t));
      }
      assertThat(model.upperBound(a, 10_000_000))
          .isCloseTo(model.risk(a, 10_000_000), withinPercentage(1e-9))
          .isCloseTo(model.steadyRisk(a), withinPercentage(1e-9));
    }
  }

  @Test
  void averagingLowersTheSteadyRisk() {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0, 4);
    double sgd = model.steadyRisk(Algorithm.sgd(0.5));
    assertThat(model.steadyRisk(Algorithm.ema(0.5, 0.9))).isLessThan(sgd);
    assertThat(model.steadyRisk(Algorithm.ema(0.5, 0))).isCloseTo(sgd, withinPercentage(1e-10));
    assertThat(model.steadyRisk(Algorithm.momentum(0.5, 0.9))).isGreaterThan(sgd);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.1, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesARateThatIsNotPositive(double rate) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Algorithm.sgd(rate))
        .withMessageContaining("learning rate must be positive and finite, not " + rate);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, -0.1, Double.NaN})
  void refusesADecayOutsideItsRange(double decay) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Algorithm.momentum(0.1, decay))
        .withMessageContaining("must be in [0, 1), not " + decay);
  }

  @Test
  void sgdHasNoDecay() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Algorithm(Method.SGD, 0.1, 0.9))
        .withMessageContaining("SGD has no decay");
  }

  @ParameterizedTest
  @CsvSource({"SGD,2,0", "EMA,2.5,0.9", "MOMENTUM,3.9,0.9"})
  void aFiniteRiskNeedsAStableRate(Method method, double rate, double decay) {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0, 4);
    Algorithm algorithm = new Algorithm(method, rate, decay);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.steadyRisk(algorithm))
        .withMessageContaining("is unstable")
        .withMessageContaining("below " + model.stabilityLimit(method, decay));
    assertThatIllegalArgumentException().isThrownBy(() -> model.risk(algorithm, 5));
    assertThatIllegalArgumentException().isThrownBy(() -> model.upperBound(algorithm, 5));
    assertThatIllegalArgumentException().isThrownBy(() -> algorithm.convergenceRate(1));
  }

  @Test
  void refusesNegativeSteps() {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0, 4);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.risk(Algorithm.sgd(0.1), -1))
        .withMessageContaining("-1");
    assertThatIllegalArgumentException().isThrownBy(() -> Algorithm.sgd(0.1).initialShare(1, -1));
  }
}
