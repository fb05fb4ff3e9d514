package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Scale and shift against the second moment of per-example gradients, formed as one matrix. */
class ScaleShiftTest {
  private static final int N = 7;
  private static final int C = 3;
  private static final int T = 4;
  private static final double LAMBDA = 0.05;
  private final Random random = new Random(6);
  private final double[] x = gaussian(random, N * C * T);
  private final double[] g = gaussian(random, N * C * T);
  private final double[] dw = gaussian(random, C);
  private final double[] db = gaussian(random, C);

  /** Gradients of one example: all weights, then all biases. */
  private double[] gradient(int n, boolean bias, boolean last) {
    double[] gradient = new double[bias ? 2 * C : C];
    for (int c = 0; c < C; c++) {
      for (int t = 0; t < T; t++) {
        int at = last ? (n * T + t) * C + c : (n * C + c) * T + t;
        gradient[c] += g[at] * x[at];
        if (bias) {
          gradient[C + c] += g[at];
        }
      }
    }
    return gradient;
  }

  private double[] expected(ScaleShift layer, boolean diagonal) {
    int size = layer.bias() ? 2 * C : C;
    double[][] gradients = new double[N][];
    Arrays.setAll(gradients, n -> gradient(n, layer.bias(), layer.channelsLast()));
    double[] fisher = Literal.secondMoment(gradients);
    for (int i = 0; i < fisher.length; i++) {
      int row = i / size;
      int col = i % size;
      boolean kept = layer.structure() == Structure.FULL || row % C == col % C;
      fisher[i] = kept && (!diagonal || row == col) ? fisher[i] / N : 0;
    }
    double[] all = Arrays.copyOf(dw, size);
    if (layer.bias()) {
      System.arraycopy(db, 0, all, C, C);
    }
    return Networks.exact(fisher, LAMBDA * layer.dampingScale(), all);
  }

  private double[] actual(ScaleShift layer, KfacOptions options, Observation... uses) {
    double[] w = dw.clone();
    double[] b = db.clone();
    try (Kfac kfac = Networks.kfac(layer, options.withDamping(LAMBDA))) {
      for (int i = 0; i < 2; i++) { // the second pass measures moments in the basis
        kfac.observe(List.of(uses));
        if (i == 0) {
          kfac.refresh();
        }
      }
      HostTensor bias = layer.bias() ? HostTensor.of(b, C) : null;
      kfac.precondition(List.of(new LayerGradient("layer", HostTensor.of(w, C), bias)));
    }
    double[] u = Arrays.copyOf(w, layer.bias() ? 2 * C : C);
    if (layer.bias()) {
      System.arraycopy(b, 0, u, C, C);
    }
    return u;
  }

  private Observation observation(boolean last) {
    int[] shape = last ? new int[] {N, T, C} : new int[] {N, C, T};
    return Networks.observation(HostTensor.of(x, shape), HostTensor.of(g, shape));
  }

  static Stream<Arguments> layers() {
    return Stream.of(Structure.values())
        .flatMap(
            s ->
                Stream.of(
                    new ScaleShift(C, s, true, false, 1),
                    new ScaleShift(C, s, true, true, 16),
                    new ScaleShift(C, s, false, true, 1)))
        .flatMap(
            layer ->
                Stream.of(Convention.KFC, Convention.TENSORFLOW_KFAC, Convention.KFAC_JAX)
                    .map(convention -> Arguments.of(layer, convention)));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void theBlockIsInvertedExactly(ScaleShift layer, Convention convention) {
    KfacOptions options =
        OPTIONS.withConvention(convention).withEstimator(Fisher.Estimator.MONTE_CARLO);
    Observation use = observation(layer.channelsLast());
    double[] expected = expected(layer, false);
    assertThat(Fixtures.error(actual(layer, options, use), expected)).isLessThan(1e-9);
    KfacOptions exact = options.withDampingMode(DampingMode.EXACT);
    assertThat(Fixtures.error(actual(layer, exact, use), expected)).isLessThan(1e-9);
    KfacOptions diagonal = options.withApproximation(Approximation.DIAGONAL);
    assertThat(Fixtures.error(actual(layer, diagonal, use), expected(layer, true)))
        .isLessThan(1e-9);
  }

  @Test
  void ekfacIsTheBlockItselfBecauseItsBasisIsTheBlocks() {
    ScaleShift layer = ScaleShift.of(C);
    KfacOptions options = OPTIONS.withApproximation(Approximation.EKFAC);
    assertThat(Fixtures.error(actual(layer, options, observation(false)), expected(layer, false)))
        .isLessThan(1e-9);
  }

  @ParameterizedTest
  @MethodSource("layers")
  void severalUsesAddUp(ScaleShift layer, Convention convention) {
    KfacOptions options =
        OPTIONS.withConvention(convention).withEstimator(Fisher.Estimator.MONTE_CARLO);
    boolean last = layer.channelsLast();
    int[] half = last ? new int[] {N, T / 2, C} : new int[] {N, C, T / 2};
    Observation[] uses = new Observation[2];
    for (int u = 0; u < 2; u++) {
      double[] xs = new double[x.length / 2];
      double[] gs = new double[x.length / 2];
      for (int i = 0; i < xs.length; i++) {
        int t = last ? i / C % (T / 2) : i % (T / 2);
        int rest = last ? i / (C * T / 2) : i / (T / 2);
        int at = last ? (rest * T + t + u * T / 2) * C + i % C : rest * T + t + u * T / 2;
        xs[i] = x[at];
        gs[i] = g[at];
      }
      uses[u] = Networks.observation(HostTensor.of(xs, half), HostTensor.of(gs, half));
    }
    assertThat(Fixtures.error(actual(layer, options, uses), expected(layer, false)))
        .isLessThan(1e-9);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new ScaleShift(0, Structure.FULL, true, true, 1))
        .hasMessageContaining("0 and 1.0");
    assertThatThrownBy(() -> new ScaleShift(2, Structure.FULL, true, true, -1))
        .hasMessageContaining("-1.0");
    HostTensor bad = HostTensor.of(new double[8], 2, 4);
    assertThatThrownBy(() -> ScaleShift.of(3).use(bad, bad)).hasMessageContaining("[N, 3, ...]");
    KfacOptions pytorch = OPTIONS.withConvention(Convention.KFAC_PYTORCH);
    assertThatThrownBy(() -> Networks.kfac(ScaleShift.of(3), pytorch))
        .hasMessageContaining("layer 'layer'")
        .hasMessageContaining("kfac-pytorch has no ScaleShift");
    assertThatThrownBy(
            () ->
                new Kfac(
                    new JavaBackend(),
                    Map.of("layer", ScaleShift.of(3)),
                    OPTIONS.withApproximation("other", Approximation.EKFAC)))
        .hasMessageContaining("layer 'other'")
        .hasMessageContaining("[layer]");
  }
}
