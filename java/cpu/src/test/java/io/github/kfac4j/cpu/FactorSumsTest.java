package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cpu.natives.KfacCpuLibrary;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Window;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums of equal examples, each of which fp32 would round the same way, by every route. */
class FactorSumsTest {
  private static final double U = 0x1p-24;

  /**
   * In units of u of an element: fp64 sums are rounded once, or twice with an average; fp32 sums of
   * t terms add (t + 1) / 2 at most, and 1 for each 576 rows.
   */
  @ParameterizedTest
  @CsvSource({
    "1,40,1.1",
    "2,40,1.1",
    "32,40,1.1",
    "1000,40,1.1",
    "40000,70,1.1",
    "32,700,1.1",
    "1,300,3",
    "2,300,3",
    "3,300,3",
    "8,300,3",
    "32,300,3",
    "64,300,3",
    "256,300,18",
    "1024,300,35"
  })
  void ofEqualExamplesDoNotDrift(int examples, int width, double units) {
    double[] x = gaussian(new Random(examples + width), width);
    double[] rows = new double[examples * width];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = x[i % width];
    }
    boolean panels = units > 2 && KfacCpuLibrary.isAvailable();
    try (CpuBackend backend = new CpuBackend(2, panels);
        MatrixStack target = backend.allocate(1, width, width)) {
      RowSamples samples = new RowSamples(Data.direct(rows), examples, 1, 1, width, false);
      backend.accumulate(List.of(new AccumulateRequest(target, 0, 1.0 / examples, samples)));
      assertThat(worst(target.toArray(), x)).isLessThan(units);
    }
  }

  /** By the error of its worst element, in units of u, from the outer product of x. */
  private static double worst(double[] a, double[] x) {
    double worst = 0;
    for (int i = 0; i < a.length; i++) {
      double exact = x[i / x.length] * x[i % x.length];
      worst = Math.max(worst, Math.abs(a[i] - exact) / (U * Math.abs(exact)));
    }
    return worst;
  }

  /** Images of one value, of which each kernel position sees the same. */
  @ParameterizedTest
  @CsvSource({
    "1,60,6,1,1",
    "32,60,6,1,1",
    "8,20,9,3,1",
    "8,20,9,3,2",
    "32,64,14,3,1",
    "4,4,20,5,1",
    "8,9,20,5,2"
  })
  void ofPatchesThatAreAlikeDoNotDrift(
      int examples, int channels, int side, int kernel, int stride) {
    double[] values = gaussian(new Random(channels + side), channels);
    double[] image = new double[examples * channels * side * side];
    Arrays.setAll(image, i -> values[i / (side * side) % channels]);
    double[] patch = new double[channels * kernel * kernel];
    Arrays.setAll(patch, i -> values[i / (kernel * kernel)]);
    Window window = Window.of(kernel, kernel).withStride(stride, stride);
    PatchSamples samples =
        new PatchSamples(
            Data.direct(image), examples, channels, side, side, ImageLayout.NCHW, window, 1, false);
    for (boolean own : new boolean[] {KfacCpuLibrary.isAvailable(), false}) {
      try (CpuBackend backend = new CpuBackend(2, own);
          MatrixStack target = backend.allocate(1, patch.length, patch.length)) {
        double weight = 1.0 / samples.rows();
        backend.accumulate(List.of(new AccumulateRequest(target, 0, weight, samples)));
        assertThat(worst(target.toArray(), patch)).isLessThan(1.1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,40,49,1", "32,40,196,1", "8,64,49,8"})
  void ofChannelsThatAreAlikeDoNotDrift(int examples, int channels, int positions, int groups) {
    double[] values = gaussian(new Random(channels), channels);
    double[] image = new double[examples * channels * positions];
    Arrays.setAll(image, i -> values[i / positions % channels]);
    int dim = channels / groups;
    ChannelSamples samples =
        new ChannelSamples(Data.direct(image), examples, positions, groups, dim);
    try (CpuBackend backend = new CpuBackend(2);
        MatrixStack target = backend.allocate(groups, dim, dim)) {
      double weight = 1.0 / samples.rows();
      backend.accumulate(List.of(new AccumulateRequest(target, 0, weight, samples)));
      double[] a = target.toArray();
      for (int k = 0; k < groups; k++) {
        double[] x = Arrays.copyOfRange(values, k * dim, (k + 1) * dim);
        assertThat(worst(Arrays.copyOfRange(a, k * dim * dim, (k + 1) * dim * dim), x))
            .isLessThan(1.1);
      }
    }
  }
}
