package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests large enough to be cut into tiles, slices and panels, against the fp64 backend. */
class CutWorkTest {
  private final CpuBackend backend = new CpuBackend(2);
  private final Backend reference = Backends.require("java");
  private final Random random = new Random(11);

  @AfterEach
  void close() {
    backend.close();
    reference.close();
  }

  @Test
  void tilesOfWideRows() {
    moment(new RowSamples(Data.direct(gaussian(random, 40 * 1030)), 40, 1, 1, 1030, true));
  }

  /** Sums of several passes, groups side by side, a bias that is alone in its panel or not. */
  @Test
  void panelsOfRows() {
    for (int width : new int[] {160, 301}) {
      for (int groups : new int[] {1, 2}) {
        HostTensor data = Data.direct(gaussian(random, 1300 * groups * width));
        moment(new RowSamples(data, 1300, 1, groups, width, true));
        moment(new RowSamples(data, 1300, 1, groups, width, false));
      }
    }
  }

  @Test
  void tilesOfWidePatches() {
    Window window = Window.of(3, 3).withStride(2, 1).withPadding(1, 1);
    moment(
        new PatchSamples(
            Data.direct(gaussian(random, 2 * 120 * 9 * 8)),
            2,
            120,
            9,
            8,
            ImageLayout.NCHW,
            window,
            1,
            true));
  }

  @Test
  void slicesAndPanelsOfManyPatches() {
    for (ImageLayout layout : ImageLayout.values()) {
      moment(
          new PatchSamples(
              Data.direct(gaussian(random, 3 * 32 * 56 * 50)),
              3,
              32,
              56,
              50,
              layout,
              Window.of(3, 3).withStride(1, 1),
              1,
              true));
    }
  }

  @Test
  void slicesOfManyChannels() {
    moment(new ChannelSamples(Data.direct(gaussian(random, 40 * 64 * 900)), 40, 900, 1, 64));
  }

  private void moment(Samples samples) {
    int dim = samples.dim();
    int groups = samples.groups();
    double[] nan = new double[groups * dim * dim];
    Arrays.fill(nan, Double.NaN);
    double[][] results = new double[2][];
    int i = 0;
    for (Backend each : List.of(reference, backend)) {
      try (MatrixStack target = each.allocate(groups, dim, dim)) {
        target.set(nan);
        each.accumulate(List.of(new AccumulateRequest(target, 0, 0.25, samples)));
        each.accumulate(List.of(new AccumulateRequest(target, 0.5, 0.5, samples)));
        results[i++] = target.toArray();
      }
    }
    assertThat(error(results[1], results[0])).isLessThan(3e-6);
    int asymmetric = 0;
    for (int r = 0; r < groups * dim; r++) {
      int first = r / dim * dim;
      for (int c = first; c < r; c++) {
        asymmetric += results[1][r * dim + c - first] == results[1][c * dim + r - first] ? 0 : 1;
      }
    }
    assertThat(asymmetric).isZero();
  }

  /** An example whose patches exceed a panel; many small examples at once; many rows. */
  @Test
  void momentsInABasis() {
    basisMoment(2, 4, 40, 64, 70, true);
    basisMoment(37, 6, 2, 5, 4, true);
    basisMoment(37, 6, 60, 2, 3, true);
    basisMoment(37, 6, 12, 6, 5, false);
    basisMoment(2100, 3, 4, 1, 1, true);
  }

  private void basisMoment(
      int examples, int channels, int out, int height, int width, boolean rotated) {
    int positions = height * width;
    Samples g =
        new ChannelSamples(
            Data.direct(gaussian(random, examples * out * positions)), examples, positions, 1, out);
    Samples a =
        new PatchSamples(
            Data.direct(gaussian(random, examples * channels * positions)),
            examples,
            channels,
            height,
            width,
            ImageLayout.NCHW,
            Window.of(5, 5).withPadding(2, 2),
            1,
            true);
    double[] qg = gaussian(random, out * out);
    double[] qa = gaussian(random, a.dim() * a.dim());
    double[] nan = new double[out * a.dim()];
    Arrays.fill(nan, Double.NaN);
    double[][] results = new double[2][];
    int i = 0;
    for (Backend each : List.of(reference, backend)) {
      try (MatrixStack gBasis = each.allocate(1, out, out);
          MatrixStack aBasis = each.allocate(1, a.dim(), a.dim());
          MatrixStack target = each.allocate(1, out, a.dim())) {
        gBasis.set(qg);
        aBasis.set(qa);
        target.set(nan);
        each.accumulateInBasis(
            List.of(
                new BasisAccumulateRequest(
                    target,
                    0,
                    0.1,
                    g,
                    a,
                    Basis.ofColumns(rotated ? gBasis : null),
                    Basis.ofColumns(rotated ? aBasis : null))));
        results[i++] = target.toArray();
      }
    }
    assertThat(error(results[1], results[0])).isLessThan(1e-5);
  }
}
