package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cpu.natives.KfacCpuLibrary;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.checks.Shapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Factors of convolutions on libkfac_cpu. */
class ConvolutionTest {
  /**
   * Of the largest element: fp64 sums are weighted and rounded, and once more with the average,
   * whose decay is rounded too.
   */
  private static final double ROUNDINGS = 3 * Fixtures.U;

  @BeforeEach
  void needsTheLibrary() {
    assumeTrue(KfacCpuLibrary.isAvailable(), "libkfac_cpu was not built");
  }

  static Stream<PatchSamples> convolutions() {
    Window same = Window.of(3, 3).withPadding(1, 1);
    Window wide = Window.of(5, 5).withPadding(2, 2);
    Window halved = same.withStride(2, 2);
    Window spread = Window.of(3, 3).withPadding(2, 2).withDilation(2, 2);
    return Stream.of(
        new PatchSamples(null, 8, 32, 14, 13, ImageLayout.NCHW, same, 1, true),
        new PatchSamples(null, 8, 32, 14, 13, ImageLayout.NHWC, same, 1, false),
        new PatchSamples(null, 16, 64, 7, 7, ImageLayout.NCHW, same, 2, true),
        new PatchSamples(null, 16, 64, 7, 7, ImageLayout.NHWC, same, 2, true),
        new PatchSamples(null, 12, 40, 10, 12, ImageLayout.NCHW, wide, 1, true),
        new PatchSamples(null, 24, 33, 20, 20, ImageLayout.NCHW, Window.of(3, 3), 1, true),
        new PatchSamples(
            null, 6, 30, 9, 20, ImageLayout.NHWC, Window.of(1, 7).withPadding(0, 3), 1, true),
        new PatchSamples(null, 9, 64, 14, 13, ImageLayout.NCHW, halved, 1, true),
        new PatchSamples(null, 5, 61, 15, 14, ImageLayout.NHWC, halved, 1, true),
        new PatchSamples(null, 3, 3, 60, 50, ImageLayout.NCHW, spread, 1, false),
        new PatchSamples(null, 5, 150, 14, 14, ImageLayout.NCHW, Window.of(1, 1), 1, true),
        new PatchSamples(null, 5, 150, 14, 14, ImageLayout.NHWC, Window.of(1, 1), 2, true),
        new PatchSamples(null, 4, 48, 15, 15, ImageLayout.NCHW, same, 48, true),
        new PatchSamples(null, 4, 40, 15, 15, ImageLayout.NHWC, halved, 40, false),
        new PatchSamples(null, 4, 66, 15, 11, ImageLayout.NCHW, halved, 33, true));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void equalTheReference(PatchSamples shape) {
    double[] data = activations(shape);
    double[] expected;
    try (Backend reference = new JavaBackend()) {
      expected = moment(reference, Shapes.with(shape, HostTensor.of(data, shapeOf(shape))), 0.25);
    }
    for (HostTensor tensor : List.of(Data.direct(data), Data.converted(data).get(0))) {
      try (CpuBackend backend = new CpuBackend(2, true)) {
        double[] actual = moment(backend, Shapes.with(shape, tensor), 0.25);
        assertThat(error(actual, expected)).isLessThan(ROUNDINGS);
        int n = shape.dim();
        for (int k = 0; k < shape.groups(); k++) {
          int start = k * n * n;
          for (int i = 0; i < n * n; i++) {
            assertThat(actual[start + i]).isEqualTo(actual[start + i % n * n + i / n]);
          }
        }
      }
    }
  }

  /**
   * Shapes at random: strides, dilations and paddings to beyond "same", images smaller than the
   * kernel, groups, both layouts.
   */
  @Test
  void ofAnyFormEqualTheReference() {
    Random random = new Random(17);
    try (CpuBackend backend = new CpuBackend(2, true);
        Backend reference = new JavaBackend()) {
      for (int tried = 0; tried < 150; ) {
        PatchSamples shape = anyForm(random);
        if (shape == null) {
          continue;
        }
        tried++;
        double[] data = activations(shape);
        double[] exact =
            moments(reference, Shapes.with(shape, HostTensor.of(data, shapeOf(shape))));
        double[] actual = moments(backend, Shapes.with(shape, Data.direct(data)));
        assertThat(error(actual, exact)).as("%s", shape).isLessThan(ROUNDINGS);
      }
    }
  }

  /** A convolution with outputs, or null. */
  private static PatchSamples anyForm(Random random) {
    int kernelHeight = 1 + random.nextInt(4);
    int kernelWidth = 1 + random.nextInt(4);
    Window window =
        Window.of(kernelHeight, kernelWidth)
            .withStride(1 + random.nextInt(3), 1 + random.nextInt(3))
            .withPadding(random.nextInt(kernelHeight + 1), random.nextInt(kernelWidth + 1))
            .withDilation(1 + random.nextInt(3), 1 + random.nextInt(3));
    int height = 1 + random.nextInt(12);
    int width = 1 + random.nextInt(20);
    int extentHeight = window.dilationHeight() * (kernelHeight - 1);
    int extentWidth = window.dilationWidth() * (kernelWidth - 1);
    if (height + 2 * window.paddingHeight() <= extentHeight
        || width + 2 * window.paddingWidth() <= extentWidth) {
      return null;
    }
    int groups = 1 + random.nextInt(3);
    return new PatchSamples(
        null,
        1 + random.nextInt(5),
        groups * (1 + random.nextInt(5)),
        height,
        width,
        ImageLayout.values()[random.nextInt(2)],
        window,
        groups,
        random.nextBoolean());
  }

  /** The moment of a first batch alone, then with a decay. */
  private static double[] moments(Backend backend, PatchSamples samples) {
    int n = samples.dim();
    try (MatrixStack target = backend.allocate(samples.groups(), n, n)) {
      double[] nan = new double[target.size()];
      Arrays.fill(nan, Double.NaN);
      target.set(nan);
      backend.accumulate(List.of(new AccumulateRequest(target, 0, 0.5, samples)));
      double[] first = target.toArray();
      backend.accumulate(List.of(new AccumulateRequest(target, 0.95, 0.05, samples)));
      double[] both = Arrays.copyOf(first, 2 * first.length);
      System.arraycopy(target.toArray(), 0, both, first.length, first.length);
      return both;
    }
  }

  @Test
  void bitsDependNeitherOnThreadsNorOnOtherLayers() {
    List<PatchSamples> all =
        convolutions().map(shape -> Shapes.with(shape, Data.direct(activations(shape)))).toList();
    List<double[]> results = new ArrayList<>();
    for (int threads : new int[] {1, 2, 5}) {
      try (CpuBackend backend = new CpuBackend(threads, true)) {
        List<AccumulateRequest> moments = new ArrayList<>();
        for (PatchSamples samples : all) {
          moments.add(
              new AccumulateRequest(
                  backend.allocate(samples.groups(), samples.dim(), samples.dim()),
                  0,
                  0.01,
                  samples));
        }
        backend.accumulate(moments);
        for (int i = 0; i < all.size(); i++) {
          double[] together = moments.get(i).target().toArray();
          if (threads == 1) {
            results.add(moment(backend, all.get(i), 0));
          }
          assertThat(Arrays.equals(together, results.get(i))).as("layer %d", i).isTrue();
          moments.get(i).target().close();
        }
      }
    }
  }

  private static double[] moment(Backend backend, PatchSamples samples, double decay) {
    int n = samples.dim();
    try (MatrixStack target = backend.allocate(samples.groups(), n, n)) {
      double[] before = new double[target.size()];
      Arrays.fill(before, decay == 0 ? Double.NaN : 3);
      target.set(before);
      backend.accumulate(List.of(new AccumulateRequest(target, decay, 0.01, samples)));
      return target.toArray();
    }
  }

  /** As after a rectifier: mostly positive, exact in fp32. */
  private static double[] activations(PatchSamples shape) {
    int size = shape.examples() * shape.channels() * shape.height() * shape.width();
    return Arrays.stream(gaussian(new Random(7), size))
        .map(x -> (float) Math.max(0, x + 0.3))
        .toArray();
  }

  private static int[] shapeOf(PatchSamples s) {
    return s.layout() == ImageLayout.NCHW
        ? new int[] {s.examples(), s.channels(), s.height(), s.width()}
        : new int[] {s.examples(), s.height(), s.width(), s.channels()};
  }
}
