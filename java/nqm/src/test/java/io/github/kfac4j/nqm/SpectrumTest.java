package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpectrumTest {
  @Test
  void theProtocolLeaves84BinsAndTheRiskOfThePaper() {
    Spectrum binned = Spectrum.reference();
    assertThat(binned.size()).isEqualTo(84);
    assertThat(binned.dimension()).isEqualTo(10_000);
    assertThat(binned.largest()).isEqualTo(1);
    assertThat(binned.smallest()).isEqualTo(1e-4);
    assertThat(new NoisyQuadratic(binned, 0, 1).initialRisk()).isCloseTo(4.7025, within(5e-5));
  }

  @Test
  void theExactSpectrumHasTheHarmonicSumAsRisk() {
    Spectrum exact = Spectrum.harmonic(10_000);
    assertThat(exact.size()).isEqualTo(10_000);
    assertThat(new NoisyQuadratic(exact, 0, 1).initialRisk()).isCloseTo(4.8938, within(5e-5));
  }

  @Test
  void binningCountsEveryEigenvalueOnceAndNeverRaisesOne() {
    for (int dimension : new int[] {2, 3, 10, 207, 9999}) {
      Spectrum binned = Spectrum.harmonicBinned(dimension, 13);
      assertThat(binned.dimension()).isEqualTo(dimension);
      assertThat(new NoisyQuadratic(binned, 0, 1).initialRisk())
          .isLessThanOrEqualTo(
              new NoisyQuadratic(Spectrum.harmonic(dimension), 0, 1).initialRisk() + 1e-12);
    }
  }

  @Test
  void readsAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("h.txt");
    Files.writeString(file, "# a spectrum\n2.5\n\n0.5, 3   # threefold\n1e-3 10 0.25\n");
    Spectrum spectrum = Spectrum.read(file);
    assertThat(spectrum.size()).isEqualTo(3);
    assertThat(spectrum.dimension()).isEqualTo(14);
    assertThat(spectrum.eigenvalue(1)).isEqualTo(0.5);
    assertThat(spectrum.noiseVariance(0)).isEqualTo(2.5);
    assertThat(spectrum.noiseVariance(2)).isEqualTo(0.25);
  }

  @ParameterizedTest
  @CsvSource({
    "'1\n-0.5', line 2",
    "'1\nzero', line 2",
    "'0', line 1",
    "'NaN', line 1",
    "'1 2 3 4', line 1",
    "'1,0', count 1",
    "'1,1,-2', noise variance 1",
    "'# nothing', empty",
  })
  void refusesABadFile(String text, String told, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("h.txt");
    Files.writeString(file, text);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.read(file))
        .withMessageContaining(told);
  }

  @Test
  void refusesAFileThatIsNotText(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("h.bin");
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, (byte) 0x80});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.read(file))
        .withMessageContaining("not a text file");
  }

  @Test
  void refusesBadArrays() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.of())
        .withMessageContaining("empty");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.of(1, -1))
        .withMessageContaining("eigenvalue 2 must be positive and finite, not -1.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.of(Double.POSITIVE_INFINITY))
        .withMessageContaining("finite");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.of(new double[] {1}, new double[] {1, 1}, new double[] {1}))
        .withMessageContaining("1, 2, 1");
    assertThatIllegalArgumentException().isThrownBy(() -> Spectrum.harmonic(0));
    assertThatIllegalArgumentException().isThrownBy(() -> Spectrum.harmonicBinned(10, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Spectrum.of(1).withInitialVariance(-1))
        .withMessageContaining("-1");
  }
}
