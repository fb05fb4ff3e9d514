package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Fixtures;
import io.github.kfac4j.backend.Window;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A layer used R times in one pass is a layer applied at R positions. */
class SeveralUsesTest {
  private static final int N = 5;
  private final Random random = new Random(8);

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "EKFAC", "DIAGONAL"})
  void usesAreFurtherPositions(Approximation approximation) {
    Dense layer = new Dense(3, 2, true);
    double[] x = gaussian(random, N * 3 * 3);
    double[] g = gaussian(random, N * 3 * 2);
    double[] dw = gaussian(random, 8);
    Observation together = sequence(x, g, 0, 3);
    List<Observation> apart = List.of(sequence(x, g, 0, 1), sequence(x, g, 1, 3));
    for (Convention convention : List.of(Convention.KFC, Convention.KFAC_JAX)) {
      KfacOptions options =
          OPTIONS.withDecay(0.5).withConvention(convention).withApproximation(approximation);
      try (Kfac positions = Networks.kfac(layer, options);
          Kfac uses = Networks.kfac(layer, options)) {
        for (int i = 0; i < 2; i++) {
          positions.observe(List.of(together));
          uses.observe(apart);
          positions.refresh();
          uses.refresh();
          positions.observe(List.of(together));
          uses.observe(apart);
        }
        double[] expected = Networks.step(positions, "layer", dw);
        assertThat(Fixtures.error(Networks.step(uses, "layer", dw), expected)).isLessThan(1e-11);
      }
    }
  }

  /** Positions [from, to) of three. */
  private static Observation sequence(double[] x, double[] g, int from, int to) {
    int t = to - from;
    double[] xs = new double[N * t * 3];
    double[] gs = new double[N * t * 2];
    for (int n = 0; n < N; n++) {
      System.arraycopy(x, (n * 3 + from) * 3, xs, n * t * 3, t * 3);
      System.arraycopy(g, (n * 3 + from) * 2, gs, n * t * 2, t * 2);
    }
    return t == 1
        ? Networks.observation(HostTensor.of(xs, N, 3), HostTensor.of(gs, N, 2))
        : Networks.observation(HostTensor.of(xs, N, t, 3), HostTensor.of(gs, N, t, 2));
  }

  @Test
  void aConvolutionMayBeUsedOnImagesOfSeveralSizes() {
    Conv2d layer = Conv2d.of(2, 3, Window.of(2, 2));
    Observation small = images(3);
    Observation large = images(4);
    try (Kfac kfac = Networks.kfac(layer, OPTIONS);
        Kfac one = Networks.kfac(layer, OPTIONS);
        Kfac two = Networks.kfac(layer, OPTIONS)) {
      kfac.observe(List.of(small, large));
      one.observe(List.of(small));
      two.observe(List.of(large));
      // A is a sum over positions, G a mean: 4 positions and 9
      double[] a = kfac.state().inputFactor("layer");
      double[] g = kfac.state().outputFactor("layer");
      double[] sum = one.state().inputFactor("layer");
      double[] mean = one.state().outputFactor("layer");
      for (int i = 0; i < sum.length; i++) {
        sum[i] += two.state().inputFactor("layer")[i];
      }
      for (int i = 0; i < mean.length; i++) {
        mean[i] = (4 * mean[i] + 9 * two.state().outputFactor("layer")[i]) / 13;
      }
      assertThat(Fixtures.error(a, sum)).isLessThan(1e-12);
      assertThat(Fixtures.error(g, mean)).isLessThan(1e-12);
    }
    KfacOptions ekfac = OPTIONS.withApproximation(Approximation.EKFAC);
    try (Kfac kfac = Networks.kfac(layer, ekfac)) {
      assertThatThrownBy(() -> kfac.observe(List.of(small, large)))
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("KRONECKER");
    }
  }

  private Observation images(int size) {
    int out = size - 1;
    return Networks.observation(
        HostTensor.of(gaussian(random, N * 2 * size * size), N, 2, size, size),
        HostTensor.of(gaussian(random, N * 3 * out * out), N, 3, out, out));
  }
}
