package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.approximation.KroneckerBases;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.Samples;
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
import org.junit.jupiter.params.provider.MethodSource;

/** George et al. 2018 against the second moment of per-example gradients as a full matrix. */
class EkfacTest {
  private static final KfacOptions EKFAC = OPTIONS.withApproximation(Approximation.EKFAC);
  private static final int N = 8;
  private final Random random = new Random(14);

  static Stream<Arguments> layers() {
    Window window = Window.of(2, 2).withPadding(1, 0);
    return Stream.of(
        Arguments.of(new Dense(4, 3, true), new int[] {N, 4}, new int[] {N, 3}),
        Arguments.of(new Dense(4, 3, false), new int[] {N, 5, 4}, new int[] {N, 5, 3}),
        Arguments.of(
            new Conv2d(2, 3, window, 1, true, ImageLayout.NCHW),
            new int[] {N, 2, 3, 3},
            new int[] {N, 3, 4, 2}));
  }

  private Observation observation(int[] in, int[] out) {
    return Networks.observation(tensor(in), tensor(out));
  }

  private HostTensor tensor(int[] shape) {
    return HostTensor.of(gaussian(random, Arrays.stream(shape).reduce(1, (a, b) -> a * b)), shape);
  }

  /** {@code mean of vec(sum over t of g a') vec(...)'}, row-major vec. */
  private static double[] fisher(Layer layer, Observation batch) {
    Vectors use = (Vectors) layer.use(batch.input(), batch.outputGrad());
    double[][] a = Literal.rows(((HostTensor) batch.input()).toArray(), use.a(), 0);
    double[][] g = Literal.rows(((HostTensor) batch.outputGrad()).toArray(), use.g(), 0);
    int cols = use.a().dim();
    double[][] gradients = new double[N][use.g().dim() * cols];
    for (int r = 0; r < a.length; r++) {
      double[] gradient = gradients[r / use.positions()];
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] += g[r][i / cols] * a[r][i % cols];
      }
    }
    double[] fisher = Literal.secondMoment(gradients);
    Arrays.setAll(fisher, i -> fisher[i] / N);
    return fisher;
  }

  private static double[] matrix(Kfac kfac, StateKey key) {
    return kfac.state().layers().get("layer").stack(key).toArray();
  }

  /** The basis Qg x Qa as one matrix, one basis vector in each column. */
  private static double[] basis(Kfac kfac, Layer layer) {
    return Literal.kronecker(
        matrix(kfac, KroneckerBases.G_BASIS),
        layer.outputDim(),
        matrix(kfac, KroneckerBases.A_BASIS),
        layer.inputDim());
  }

  private static double[] inBasis(double[] m, double[] basis, int n) {
    double[] turned = Literal.multiply(Literal.transpose(basis, n, n), m, n, n, n);
    return Literal.multiply(turned, basis, n, n, n);
  }

  @ParameterizedTest
  @MethodSource("layers")
  void theMomentsAreTheDiagonalOfTheFisherInTheBasis(Layer layer, int[] in, int[] out) {
    int size = layer.inputDim() * layer.outputDim();
    Observation batch = observation(in, out);
    double[] fisher = fisher(layer, batch);
    try (Kfac kfac = Networks.kfac(layer, EKFAC)) {
      kfac.observe(List.of(batch));
      kfac.refresh();
      double[] kronecker =
          Literal.kronecker(
              kfac.state().outputFactor("layer"),
              layer.outputDim(),
              kfac.state().inputFactor("layer"),
              layer.inputDim());
      // right after a refresh the diagonal is K-FAC's
      double[] basis = basis(kfac, layer);
      assertThat(
              Fixtures.error(
                  matrix(kfac, KroneckerBases.MOMENTS),
                  diagonal(inBasis(kronecker, basis, size), size)))
          .isLessThan(1e-10);
      kfac.observe(List.of(batch));
      double[] turned = inBasis(fisher, basis, size);
      double[] moments = matrix(kfac, KroneckerBases.MOMENTS);
      assertThat(Fixtures.error(moments, diagonal(turned, size))).isLessThan(1e-10);

      // both approximations are diagonal in this basis, where the Frobenius norm is the same
      double[] kfacBlock = inBasis(kronecker, basis, size);
      double[] ekfacBlock = new double[size * size];
      for (int i = 0; i < size; i++) {
        ekfacBlock[i * (size + 1)] = moments[i];
      }
      assertThat(Fixtures.frobeniusError(ekfacBlock, turned))
          .isLessThanOrEqualTo(Fixtures.frobeniusError(kfacBlock, turned));
    }
  }

  private static double[] diagonal(double[] m, int n) {
    double[] diagonal = new double[n];
    Arrays.setAll(diagonal, i -> m[i * (n + 1)]);
    return diagonal;
  }

  @Test
  void aDenseLayerNeedsNoPerExampleGradients() {
    Dense layer = new Dense(4, 3, false);
    Observation batch = observation(new int[] {N, 4}, new int[] {N, 3});
    double[] x = ((HostTensor) batch.input()).toArray();
    double[] g = ((HostTensor) batch.outputGrad()).toArray();
    try (Kfac kfac = Networks.kfac(layer, EKFAC)) {
      kfac.observe(List.of(batch));
      kfac.refresh();
      kfac.observe(List.of(batch));
      double[] a = Literal.multiply(x, matrix(kfac, KroneckerBases.A_BASIS), N, 4, 4);
      double[] s = Literal.multiply(g, matrix(kfac, KroneckerBases.G_BASIS), N, 3, 3);
      Arrays.setAll(a, i -> a[i] * a[i] / N);
      Arrays.setAll(s, i -> s[i] * s[i]);
      double[] shortcut = Literal.multiply(Literal.transpose(s, N, 3), a, 3, N, 4);
      assertThat(Fixtures.error(matrix(kfac, KroneckerBases.MOMENTS), shortcut)).isLessThan(1e-12);
    }
  }

  @Test
  void momentsFollowEveryStepAndBasesTheirInterval() {
    double decay = 0.8;
    Dense layer = new Dense(4, 3, true);
    try (Kfac kfac = Networks.kfac(layer, EKFAC.withDecay(decay).withIntervals(1, 3))) {
      double[] basis = null;
      double[] moments = null;
      for (int step = 0; step < 7; step++) {
        Observation batch = observation(new int[] {N, 4}, new int[] {N, 3});
        kfac.observe(List.of(batch));
        if (step > 0) {
          assertThat(basis(kfac, layer)).containsExactly(basis);
          double[] fresh = diagonal(inBasis(fisher(layer, batch), basis, 15), 15);
          double[] before = moments;
          Arrays.setAll(fresh, i -> decay * before[i] + (1 - decay) * fresh[i]);
          assertThat(Fixtures.error(matrix(kfac, KroneckerBases.MOMENTS), fresh)).isLessThan(1e-11);
        }
        assertThat(kfac.wantsRefresh()).isEqualTo(step % 3 == 0);
        if (kfac.wantsRefresh()) {
          kfac.refresh();
        }
        basis = basis(kfac, layer);
        moments = matrix(kfac, KroneckerBases.MOMENTS);
        Networks.step(kfac, "layer", gaussian(random, 15));
      }
    }
  }

  /** All of them would not fit into the heap. */
  @Test
  void gradientsOfTheExamplesOfABatchAreNeverStoredTogether() {
    int width = 1000;
    long gradient = (long) Double.BYTES * width * width;
    int examples = (int) (Runtime.getRuntime().maxMemory() / gradient + 1);
    double[] values = new double[examples * 2 * width];
    Arrays.fill(values, 1);
    HostTensor data = HostTensor.of(values, examples, 2, width);
    Vectors use = new Dense(width, width, false).use(data, data);
    Samples twice = new JointSamples(List.of(use.a(), use.a()));
    try (JavaBackend backend = new JavaBackend();
        MatrixStack target = backend.allocate(1, width, width)) {
      double weight = 1.0 / examples;
      backend.accumulateInBasis(
          List.of(new BasisAccumulateRequest(target, 0, weight, use.g(), use.a(), null, null)));
      assertThat(target.toArray()[width + 1]).isCloseTo(4, offset(1e-9));
      backend.accumulateInBasis(
          List.of(new BasisAccumulateRequest(target, 0, weight, twice, twice, null, null)));
      assertThat(target.toArray()[width + 1]).isCloseTo(16, offset(1e-9));
    }
  }
}
