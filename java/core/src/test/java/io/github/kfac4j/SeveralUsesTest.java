package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.approximation.KroneckerBases;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

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
  }

  static Stream<Arguments> convolutions() {
    Window window = Window.of(2, 2).withStride(2, 1).withPadding(1, 0);
    Layer image = new Conv2d(4, 6, window, 2, true, ImageLayout.NCHW);
    Layer last = new Conv2d(2, 3, window, 1, false, ImageLayout.NHWC);
    Layer line = new Conv1d(2, 3, Conv1d.window(2, 1, 0, 1), 1, true);
    Layer up = new ConvTranspose2d(2, 3, Window.of(2, 2).withStride(2, 2), 1, true);
    return Stream.of(
            Arguments.of(
                image, new int[][] {{N, 4, 3, 3}, {N, 6, 2, 2}, {N, 4, 5, 2}, {N, 6, 3, 1}}),
            Arguments.of(
                last, new int[][] {{N, 3, 3, 2}, {N, 2, 2, 3}, {N, 5, 2, 2}, {N, 3, 1, 3}}),
            Arguments.of(line, new int[][] {{N, 2, 3}, {N, 3, 2}, {N, 2, 5}, {N, 3, 4}}),
            Arguments.of(up, new int[][] {{N, 2, 1, 1}, {N, 3, 2, 2}, {N, 2, 2, 1}, {N, 3, 4, 2}}))
        .flatMap(
            arguments ->
                Stream.of(Approximation.EKFAC, Approximation.DIAGONAL)
                    .map(a -> Arguments.of(arguments.get()[0], arguments.get()[1], a)));
  }

  /** The gradient of an example is the sum over both uses, before it is squared. */
  @ParameterizedTest
  @MethodSource("convolutions")
  void momentsOfAConvolutionAreThoseOfItsWholeGradient(
      Layer layer, int[][] shapes, Approximation approximation) {
    List<Observation> uses =
        List.of(observation(shapes[0], shapes[1]), observation(shapes[2], shapes[3]));
    try (Kfac kfac = Networks.kfac(layer, OPTIONS.withApproximation(approximation))) {
      kfac.observe(uses);
      kfac.refresh();
      kfac.observe(uses);
      LayerState state = kfac.state().layers().get("layer");
      int rows = layer.outputDim();
      int cols = layer.inputDim();
      double[] moments = state.stack(KroneckerBases.MOMENTS).toArray();
      for (int k = 0; k < layer.groups(); k++) {
        double[] expected = new double[rows * cols];
        for (int n = 0; n < N; n++) {
          double[] gradient = gradient(layer, uses, k, n);
          if (approximation == Approximation.EKFAC) {
            double[] qg = group(state.stack(KroneckerBases.G_BASIS), k);
            double[] qa = group(state.stack(KroneckerBases.A_BASIS), k);
            double[] left = Literal.transpose(qg, rows, rows);
            gradient = Literal.multiply(left, gradient, rows, rows, cols);
            gradient = Literal.multiply(gradient, qa, rows, cols, cols);
          }
          for (int i = 0; i < expected.length; i++) {
            expected[i] += gradient[i] * gradient[i] / N;
          }
        }
        double[] actual = Arrays.copyOfRange(moments, k * rows * cols, (k + 1) * rows * cols);
        assertThat(Fixtures.error(actual, expected)).isLessThan(1e-11);
      }
    }
  }

  private static double[] group(MatrixStack stack, int k) {
    int size = stack.rows() * stack.cols();
    return Arrays.copyOfRange(stack.toArray(), k * size, (k + 1) * size);
  }

  /** The gradient of one example for one group, by definition. */
  private static double[] gradient(Layer layer, List<Observation> uses, int group, int example) {
    int cols = layer.inputDim();
    double[] gradient = new double[layer.outputDim() * cols];
    for (Observation observation : uses) {
      Vectors use = (Vectors) layer.use(observation.input(), observation.outputGrad());
      double[][] a = Literal.rows(((HostTensor) use.a().data()).toArray(), use.a(), group);
      double[][] g = Literal.rows(((HostTensor) use.g().data()).toArray(), use.g(), group);
      for (int t = example * use.positions(); t < (example + 1) * use.positions(); t++) {
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] += g[t][i / cols] * a[t][i % cols];
        }
      }
    }
    return gradient;
  }

  private Observation observation(int[] in, int[] out) {
    return Networks.observation(tensor(in), tensor(out));
  }

  private HostTensor tensor(int[] shape) {
    return HostTensor.of(gaussian(random, Arrays.stream(shape).reduce(1, (a, b) -> a * b)), shape);
  }

  private Observation images(int size) {
    int out = size - 1;
    return Networks.observation(
        HostTensor.of(gaussian(random, N * 2 * size * size), N, 2, size, size),
        HostTensor.of(gaussian(random, N * 3 * out * out), N, 3, out, out));
  }
}
