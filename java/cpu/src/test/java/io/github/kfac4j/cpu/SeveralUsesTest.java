package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Moments in a basis of a convolution that is used on images of several sizes. */
class SeveralUsesTest {
  private final Random random = new Random(21);

  /** With 100 pixels a side, an example is more than a panel holds. */
  @ParameterizedTest
  @CsvSource({"5,9,7,2", "2,100,100,2", "3,40,33,1"})
  void equalTheReference(int examples, int height, int width, int groups) {
    Samples small = patches(examples, 6, 5, groups);
    Samples large = patches(examples, height, width, groups);
    Samples a = new JointSamples(List.of(small, large));
    Samples g = new JointSamples(List.of(gradients(small), gradients(large)));
    double[] qg = gaussian(random, groups * g.dim() * g.dim());
    double[] qa = gaussian(random, groups * a.dim() * a.dim());
    for (boolean rotated : new boolean[] {true, false}) {
      double[] expected;
      try (Backend reference = new JavaBackend()) {
        expected = moment(reference, g, a, rotated ? qg : null, rotated ? qa : null);
      }
      try (CpuBackend backend = new CpuBackend(2, true)) {
        double[] actual = moment(backend, g, a, rotated ? qg : null, rotated ? qa : null);
        assertThat(error(actual, expected)).isLessThan(1e-5);
      }
    }
  }

  private PatchSamples patches(int examples, int height, int width, int groups) {
    double[] image = gaussian(random, examples * 4 * height * width);
    Window window = Window.of(3, 3).withPadding(1, 1);
    return new PatchSamples(
        Data.direct(image), examples, 4, height, width, ImageLayout.NCHW, window, groups, true);
  }

  private ChannelSamples gradients(Samples a) {
    int positions = a.positions();
    double[] data = gaussian(random, a.examples() * a.groups() * 3 * positions);
    return new ChannelSamples(Data.direct(data), a.examples(), positions, a.groups(), 3);
  }

  private static double[] moment(Backend backend, Samples g, Samples a, double[] qg, double[] qa) {
    int groups = g.groups();
    try (MatrixStack target = backend.allocate(groups, g.dim(), a.dim());
        MatrixStack gBasis = backend.allocate(groups, g.dim(), g.dim());
        MatrixStack aBasis = backend.allocate(groups, a.dim(), a.dim())) {
      if (qg != null) {
        gBasis.set(qg);
        aBasis.set(qa);
      }
      backend.accumulateInBasis(
          List.of(
              new BasisAccumulateRequest(
                  target,
                  0,
                  0.5,
                  g,
                  a,
                  Basis.ofColumns(qg == null ? null : gBasis),
                  Basis.ofColumns(qa == null ? null : aBasis))));
      return target.toArray();
    }
  }
}
