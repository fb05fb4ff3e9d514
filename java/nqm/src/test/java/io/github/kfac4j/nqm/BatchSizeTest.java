package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchSizeTest {
  @Test
  void theMaximumLikelihoodBoundIsHalfTheDimensionOverTheTarget() {
    for (Spectrum spectrum : new Spectrum[] {Spectrum.reference(), Spectrum.harmonic(10_000)}) {
      assertThat(InformationBound.maximumLikelihoodSteps(spectrum, 4, 0.01))
          .isCloseTo(5e5 / 4, withinPercentage(1e-9));
    }
  }

  @Test
  void theBayesBoundKnowsTheStart() {
    Spectrum exact = Spectrum.harmonic(10_000);
    assertThat(InformationBound.bayesSteps(exact, 1, 0.01)).isCloseTo(495_016, within(1.0));
    assertThat(InformationBound.bayesSteps(exact, 1, 5)).isCloseTo(0, within(1e-6));
    assertThat(InformationBound.bayesSteps(exact.withInitialVariance(0), 1, 0.01))
        .isCloseTo(0, within(1e-6));
  }

  /** Where steps times batch size have doubled, as powers of two; read off the figures. */
  @ParameterizedTest
  @CsvSource({
    "SGD,0,10",
    "SGD,0.25,12",
    "SGD,0.5,15",
    "SGD,0.75,17.5",
    "MOMENTUM,0,15.5",
    "EMA,0,7.5",
  })
  void theCriticalBatchSizeIsThatOfTheFigures(Method method, double power, double octaves) {
    double critical = CriticalBatchSize.predict(Spectrum.reference(), method, power, 0.01);
    assertThat(Math.log(critical) / Math.log(2)).isCloseTo(octaves, within(0.4));
  }

  @Test
  void theCriticalBatchSizeOfASpectrumFromAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("eigenvalues.txt");
    Files.writeString(file, "1\n0.1\n0.01\n");
    Spectrum spectrum = Spectrum.read(file);
    double critical = CriticalBatchSize.predict(spectrum, Method.SGD, 0, 0.01);

    // its definition, by the tuner alone
    Tuner tuner = new Tuner(spectrum);
    double fewest =
        tuner.tuneContinuously(Method.SGD, 0, 0.05, 0.01).orElseThrow().crossing() * 0.05;
    double there =
        tuner.tuneContinuously(Method.SGD, 0, critical, 0.01).orElseThrow().crossing() * critical;
    assertThat(there / fewest).isCloseTo(2, withinPercentage(6));
  }

  @Test
  void refusesASpectrumWithoutNoise() {
    Spectrum quiet = Spectrum.of(new double[] {1, 0.1}, new double[] {1, 1}, new double[] {0, 0});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CriticalBatchSize.predict(quiet, Method.SGD, 0, 0.01))
        .withMessageContaining("no gradient noise");
  }

  @Test
  void refusesATargetThatNeedsNoStep() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CriticalBatchSize.predict(Spectrum.of(1), Method.SGD, 0, 0.5))
        .withMessageContaining("before the first step");
  }

  @Test
  void refusesATargetOutOfReach() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CriticalBatchSize.predict(Spectrum.reference(), Method.EMA, 0, 1e-12))
        .withMessageContaining("raise the target");
  }
}
