package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TunerTest {
  private static final double TARGET = 0.01;
  private final Tuner tuner = new Tuner(Spectrum.reference());

  /** The data of Figures 3a and 4, batch sizes 4^1 .. 4^10. */
  @ParameterizedTest
  @CsvSource({
    "SGD,0,1507367 379858 95759 25880 10609 8117 7447 7309 7276 7268",
    "MOMENTUM,0,1333447 326809 83186 20969 5203 1280 349 208 183 178",
    "EMA,0,226024 59509 14722 9142 7868 7506 7397 7365 7355 7352",
    "SGD,0.25,593849 147960 36966 9312 2421 1002 815 786 780 778",
    "MOMENTUM,0.25,508103 132746 31957 8075 1977 510 131 67 63 63",
    "EMA,0.25,225330 54124 13032 3393 1164 876 810 793 789 787",
    "SGD,0.5,345591 86273 21587 5421 1366 342 106 88 85 84",
    "MOMENTUM,0.5,287137 74456 18406 4572 1140 293 74 21 17 17",
    "EMA,0.5,207251 50343 12578 3350 793 195 102 89 86 85",
    "SGD,0.75,261782 65203 16272 4071 1023 257 64 16 10 10",
    "MOMENTUM,0.75,239438 54199 12994 3417 872 201 51 13 7 7",
    "EMA,0.75,192688 48467 12498 3036 746 189 48 14 11 10",
  })
  void theFiguresStepsAreWithinTwoPercent(Method method, double power, String row) {
    double[] expected = numbers(row);
    List<TunedRun> runs = runs(method, power);
    for (int i = 0; i < 10; i++) {
      assertThat((double) runs.get(i).steps())
          .as("B = %s", runs.get(i).batchSize())
          .isCloseTo(expected[i], withinPercentage(2));
    }
  }

  private List<TunedRun> runs(Method method, double power) {
    return IntStream.rangeClosed(1, 10)
        .parallel()
        .mapToObj(i -> tuner.tune(method, power, Math.pow(4, i), TARGET).orElseThrow())
        .toList();
  }

  private static double[] numbers(String row) {
    return java.util.Arrays.stream(row.split(" ")).mapToDouble(Double::parseDouble).toArray();
  }

  @Test
  void theBestRateGrowsWithTheBatchAndThenSaturates() {
    double[] expected = numbers(".0147 .0528 .215 .774 1.668 1.896 1.896 1.896 1.896 1.896");
    List<TunedRun> runs = runs(Method.SGD, 0);
    for (int i = 0; i < 10; i++) {
      assertThat(runs.get(i).algorithm().learningRate())
          .isCloseTo(expected[i], withinPercentage(0.5));
    }
    assertThat(runs(Method.SGD, 0.75).get(0).algorithm().learningRate())
        .isCloseTo(1e-4, withinPercentage(0.5));
  }

  @Test
  void theEffectiveRateOfMomentumFollowsSgdUntilThatSaturates() {
    List<TunedRun> sgd = runs(Method.SGD, 0);
    List<TunedRun> momentum = runs(Method.MOMENTUM, 0);
    for (int i = 0; i < 4; i++) {
      assertThat(momentum.get(i).algorithm().effectiveLearningRate())
          .isCloseTo(sgd.get(i).algorithm().learningRate(), withinPercentage(25));
    }
    assertThat(momentum.get(9).algorithm().effectiveLearningRate())
        .isCloseTo(72.7, withinPercentage(2));
  }

  @ParameterizedTest
  @CsvSource({"4,0.0152", "16384,28.5"})
  void theRateCanBeTunedAtAFixedMomentum(double batchSize, double effectiveRate) {
    TunedRun run = tuner.tuneRate(Method.MOMENTUM, 0.9, 0, batchSize, TARGET).orElseThrow();
    assertThat(run.algorithm().decay()).isEqualTo(0.9);
    assertThat(run.algorithm().effectiveLearningRate())
        .isCloseTo(effectiveRate, withinPercentage(2));
  }

  /** Figure 13: log2 of the steps of SGD at B = 4 and B = 2^21. */
  @ParameterizedTest
  @CsvSource({
    "0.1,16.30,11.47",
    "0.03,18.57,12.30",
    "0.01,20.52,12.83",
    "0.003,22.59,13.27",
    "0.001,24.39,13.60",
  })
  void harderTargetsRaiseTheCriticalBatchSize(double target, double small, double large) {
    // 2 % of the steps
    assertThat(log2(tuner.tune(Method.SGD, 0, 4, target))).isCloseTo(small, within(0.03));
    assertThat(log2(tuner.tune(Method.SGD, 0, 1 << 21, target))).isCloseTo(large, within(0.03));
  }

  private static double log2(java.util.Optional<TunedRun> run) {
    return Math.log(run.orElseThrow().steps()) / Math.log(2);
  }

  @ParameterizedTest
  @CsvSource({"SGD,0,4", "SGD,0.75,65536", "MOMENTUM,0,65536", "MOMENTUM,0.5,256", "EMA,0.25,1024"})
  void refiningIsNeverWorseAndReachesTheTarget(Method method, double power, double batchSize) {
    TunedRun grid = tuner.tune(method, power, batchSize, TARGET).orElseThrow();
    TunedRun fine = tuner.tuneContinuously(method, power, batchSize, TARGET).orElseThrow();
    assertThat(fine.crossing()).isLessThanOrEqualTo(grid.crossing());
    assertThat(fine.crossing()).isGreaterThan(0.75 * grid.crossing());
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.reference(), power, batchSize);
    assertThat(model.risk(fine.algorithm(), fine.steps() + 1)).isLessThan(TARGET);
    assertThat(model.risk(fine.algorithm(), fine.steps())).isGreaterThanOrEqualTo(TARGET);
  }

  @Test
  void scalingTheProblemScalesTheRates() {
    Spectrum small = Spectrum.of(1, 0.1, 0.01);
    Spectrum large =
        Spectrum.of(
            new double[] {100, 10, 1}, new double[] {1, 1, 1}, new double[] {1e4, 1e3, 1e2});
    TunedRun a = new Tuner(small).tune(Method.MOMENTUM, 0, 8, 0.01).orElseThrow();
    TunedRun b = new Tuner(large).tune(Method.MOMENTUM, 0, 8, 1).orElseThrow();
    assertThat(b.steps()).isEqualTo(a.steps());
    assertThat(100 * b.algorithm().learningRate())
        .isCloseTo(a.algorithm().learningRate(), withinPercentage(1e-6));
  }

  @Test
  void theBoundHoldsForEveryRun() {
    for (double power : new double[] {0, 0.5, 0.75}) {
      for (TunedRun run : runs(Method.EMA, power)) {
        assertThat((double) run.steps() + 1)
            .isGreaterThanOrEqualTo(
                InformationBound.bayesSteps(Spectrum.reference(), run.batchSize(), TARGET));
      }
    }
  }

  @Test
  void aTargetBelowReachIsToldByAnEmptyAnswer() {
    assertThat(tuner.tune(Method.SGD, 0, 1, 1e-12)).isEmpty();
  }

  @Test
  void aTargetAboveTheStartTakesTheLeastSteps() {
    assertThat(tuner.tune(Method.EMA, 0, 1 << 20, 100).orElseThrow().steps()).isEqualTo(1);
  }

  @Test
  void refusesBadInput() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tuner.tune(Method.SGD, 1.5, 4, TARGET))
        .withMessageContaining("power must be in [0, 1], not 1.5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tuner.tune(Method.SGD, 0, 0, TARGET))
        .withMessageContaining("batch size must be positive");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tuner.tune(Method.SGD, 0, 4, -1))
        .withMessageContaining("target risk must be positive");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tuner.tuneRate(Method.MOMENTUM, 1, 0, 4, TARGET))
        .withMessageContaining("in [0, 1), not 1.0");
  }
}
