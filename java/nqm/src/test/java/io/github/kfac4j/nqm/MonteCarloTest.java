package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The closed forms against simulated trajectories. */
class MonteCarloTest {
  private static final Spectrum SPECTRUM =
      Spectrum.of(new double[] {1, 0.3, 0.05}, new double[] {1, 2, 10}, new double[] {0.5, 1, 0.1});

  private static final List<Algorithm> ALGORITHMS =
      List.of(
          Algorithm.sgd(0.2),
          Algorithm.sgd(1.7),
          Algorithm.momentum(0.05, 0.9),
          Algorithm.momentum(0.02, 0.3),
          Algorithm.momentum(3.1, 0.7),
          Algorithm.ema(0.2, 0.9),
          Algorithm.ema(1.5, 0.6));

  static Stream<Arguments> cases() {
    return ALGORITHMS.stream()
        .flatMap(
            a ->
                Stream.of(0.0, 0.5, 1.0)
                    .flatMap(p -> Stream.of(1, 2, 7, 60).map(t -> Arguments.of(a, p, t))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theClosedFormIsWithinFourStandardErrors(Algorithm algorithm, double power, int steps) {
    NoisyQuadratic model = new NoisyQuadratic(SPECTRUM, power, 4);
    MonteCarlo.Estimate estimate = MonteCarlo.risk(model, algorithm, steps, 20_000, 7);
    assertThat(model.risk(algorithm, steps))
        .isCloseTo(estimate.mean(), within(4 * estimate.standardError()));
    // or the comparison says nothing
    assertThat(estimate.standardError()).isLessThan(0.02 * estimate.mean());
  }

  @Test
  void theReferenceSpectrumIsWithinFourStandardErrors() {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), 0.25, 64);
    Algorithm algorithm = Algorithm.momentum(0.01, 0.95);
    MonteCarlo.Estimate estimate = MonteCarlo.risk(model, algorithm, 300, 2000, 3);
    assertThat(model.risk(algorithm, 300))
        .isCloseTo(estimate.mean(), within(4 * estimate.standardError()));
  }

  @Test
  void theSeedDecides() {
    NoisyQuadratic model = new NoisyQuadratic(SPECTRUM, 0, 4);
    Algorithm sgd = Algorithm.sgd(0.2);
    assertThat(MonteCarlo.risk(model, sgd, 5, 100, 1))
        .isEqualTo(MonteCarlo.risk(model, sgd, 5, 100, 1))
        .isNotEqualTo(MonteCarlo.risk(model, sgd, 5, 100, 2));
  }

  @Test
  void oneTrajectoryHasNoStandardError() {
    NoisyQuadratic model = new NoisyQuadratic(SPECTRUM, 0, 4);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MonteCarlo.risk(model, Algorithm.sgd(0.2), 5, 1, 1));
  }
}
