package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The diagonal factor against dense layers with one-hot inputs, and against pooling by hand. */
class EmbeddingTest {
  private static final int N = 5;
  private static final int T = 3;
  private static final int V = 6;
  private static final int D = 4;
  private static final double LAMBDA = 0.02;
  private final Random random = new Random(7);
  private final double[] ids = random.ints(N * T, 0, V - 1).asDoubleStream().toArray();
  private final double[] ge = gaussian(random, N * T * D);
  private final double[] h = gaussian(random, N * T * D);
  private final double[] gs = gaussian(random, N * T * V);
  private final double[] dw = gaussian(random, V * D);

  static Stream<Arguments> cases() {
    return Stream.of(DampingMode.values())
        .flatMap(
            mode ->
                Stream.of(Convention.KFC, Convention.TENSORFLOW_KFAC, Convention.KFAC_JAX)
                    .map(convention -> Arguments.of(mode, convention)));
  }

  private static KfacOptions options(DampingMode mode, Convention convention) {
    return OPTIONS
        .withDampingMode(mode)
        .withConvention(convention)
        .withEstimator(Fisher.Estimator.MONTE_CARLO)
        .withDamping(LAMBDA);
  }

  private static double[] oneHot(double[] ids, int size) {
    double[] x = new double[ids.length * size];
    for (int i = 0; i < ids.length; i++) {
      x[i * size + (int) ids[i]] = 1;
    }
    return x;
  }

  private Observation lookup() {
    return Networks.observation(HostTensor.of(ids, N, T), HostTensor.of(ge, N, T, D));
  }

  private Observation logits(double scale) {
    double[] scaled = Arrays.stream(gs).map(x -> x / scale).toArray();
    return new Observation(
        "layer", HostTensor.of(h, N, T, D), HostTensor.of(scaled, N, T, V), scale);
  }

  private double[] actual(Embedding layer, KfacOptions options, Observation... uses) {
    double[] u = dw.clone();
    try (Kfac kfac = Networks.kfac(layer, options)) {
      kfac.observe(List.of(uses));
      kfac.refresh();
      kfac.precondition(List.of(new LayerGradient("layer", HostTensor.of(u, V, D))));
    }
    return u;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aTableIsADenseLayerOfOneHotInputs(DampingMode mode, Convention convention) {
    KfacOptions options = options(mode, convention);
    double[] expected;
    try (Kfac dense = Networks.kfac(new Dense(V, D, false), options)) {
      expected =
          Networks.precondition(
              dense,
              Networks.observation(
                  HostTensor.of(oneHot(ids, V), N, T, V), HostTensor.of(ge, N, T, D)),
              Literal.transpose(dw, V, D));
    }
    double[] u = actual(new Embedding(V, D), options, lookup());
    assertThat(Fixtures.error(u, Literal.transpose(expected, D, V))).isLessThan(1e-10);
  }

  /** Few tokens leave most of the width to the null space of G, with default settings too. */
  @ParameterizedTest
  @ValueSource(ints = {100, 128, 300})
  void aWideTableIsADenseLayerOfOneHotInputs(int width) {
    double[] few = {0, 2, 2, 1};
    HostTensor grads = HostTensor.of(gaussian(random, 4 * width), 4, width);
    double[] gradient = gaussian(random, 3 * width);
    double[] u = gradient.clone();
    double[] expected;
    try (Kfac table = Networks.kfac(new Embedding(3, width), KfacOptions.DEFAULT);
        Kfac dense = Networks.kfac(new Dense(3, width, false), KfacOptions.DEFAULT)) {
      table.observe(List.of(Networks.observation(HostTensor.of(few, 4), grads)));
      assertThat(table.refresh().get(0).perGroup().get(0).status()).isEqualTo("ok");
      table.precondition(List.of(new LayerGradient("layer", HostTensor.of(u, 3, width))));
      expected =
          Networks.precondition(
              dense,
              Networks.observation(HostTensor.of(oneHot(few, 3), 4, 3), grads),
              Literal.transpose(gradient, 3, width));
    }
    assertThat(Fixtures.error(u, Literal.transpose(expected, width, 3))).isLessThan(1e-10);
  }

  /** Section A.1 of Zhang et al. 2019, by hand: pooled means, and the block times the uses. */
  @ParameterizedTest
  @MethodSource("cases")
  void aTiedEmbeddingPoolsBothUses(DampingMode mode, Convention convention) {
    for (boolean timesUses : new boolean[] {true, false}) {
      int pooled = 2 * N * T;
      double[] rows = new double[V];
      double[] x = oneHot(ids, V);
      for (int i = 0; i < N * T * V; i++) {
        rows[i % V] += (x[i] * x[i] + gs[i] * gs[i]) / pooled;
      }
      double[][] columns = new double[pooled][];
      for (int i = 0; i < N * T; i++) {
        columns[2 * i] = Arrays.copyOfRange(ge, i * D, (i + 1) * D);
        columns[2 * i + 1] = Arrays.copyOfRange(h, i * D, (i + 1) * D);
      }
      double[] c = Literal.secondMoment(columns);
      Arrays.setAll(c, i -> c[i] / pooled);
      double uses = timesUses ? 2 * T : T;
      double[] expected =
          mode == DampingMode.EXACT ? exact(rows, c, uses) : factored(rows, c, uses);
      Embedding layer = new Embedding(V, D, timesUses);
      double[] u = actual(layer, options(mode, convention), lookup(), logits(1));
      assertThat(Fixtures.error(u, expected)).isLessThan(1e-10);
      // the order of the uses does not matter
      double[] v = actual(layer, options(mode, convention), logits(1), lookup());
      assertThat(Fixtures.error(v, expected)).isLessThan(1e-10);
    }
  }

  private double[] exact(double[] rows, double[] c, double uses) {
    double[] r = new double[V * V];
    for (int i = 0; i < V; i++) {
      r[i * V + i] = uses * rows[i];
    }
    return Networks.exact(Literal.kronecker(r, V, c, D), LAMBDA, dw);
  }

  private double[] factored(double[] rows, double[] c, double uses) {
    double meanRows = Arrays.stream(rows).sum() / V;
    double meanC = 0;
    for (int i = 0; i < D; i++) {
      meanC += c[i * (D + 1)] / D;
    }
    double pi = Math.sqrt(meanRows / meanC);
    double root = Math.sqrt(LAMBDA / uses);
    double[] u =
        Literal.multiply(dw, Literal.inverse(Fixtures.damped(c, D, 1, root / pi), D), V, D, D);
    for (int i = 0; i < u.length; i++) {
      u[i] /= uses * (rows[i / D] + pi * root);
    }
    return u;
  }

  @Test
  void theScaleTurnsAMeanLossIntoASum() {
    KfacOptions options = options(DampingMode.FACTORED, Convention.KFC);
    Embedding layer = new Embedding(V, D);
    assertThat(Fixtures.error(actual(layer, options, logits(N)), actual(layer, options, logits(1))))
        .isLessThan(1e-12);
  }

  @Test
  void dampingOfTheLastRefreshStaysInForce() {
    KfacOptions options = options(DampingMode.FACTORED, Convention.KFC);
    try (Kfac kfac = Networks.kfac(new Embedding(V, D), options)) {
      kfac.observe(List.of(lookup()));
      kfac.refresh();
      double[] before = dw.clone();
      kfac.precondition(List.of(new LayerGradient("layer", HostTensor.of(before, V, D))));
      kfac.reconfigure(options.withDamping(1));
      double[] after = dw.clone();
      kfac.precondition(List.of(new LayerGradient("layer", HostTensor.of(after, V, D))));
      assertThat(after).containsExactly(before);
    }
  }

  @Test
  void onlyTheDiagonalOfTheRowsIsStored() {
    try (Kfac kfac = Networks.kfac(new Embedding(1000, 2), OPTIONS)) {
      kfac.state()
          .toTensors()
          .forEach(
              (name, tensor) ->
                  assertThat(Arrays.stream(tensor.shape()).reduce(1, (a, b) -> a * b))
                      .as(name)
                      .isLessThanOrEqualTo(2000));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Embedding layer = new Embedding(V, D);
    double[] out = ids.clone();
    out[7] = V;
    assertThatThrownBy(() -> layer.use(HostTensor.of(out, N, T), HostTensor.of(ge, N, T, D)))
        .hasMessageContaining("6.0 at flat index 7")
        .hasMessageContaining("0 to 5");
    out[7] = 1.5;
    assertThatThrownBy(() -> layer.use(HostTensor.of(out, N, T), HostTensor.of(ge, N, T, D)))
        .hasMessageContaining("1.5");
    assertThatThrownBy(() -> layer.use(HostTensor.of(ids, N, T), HostTensor.of(ge, N, D, T)))
        .hasMessageContaining("[5, 3]")
        .hasMessageContaining("[5, 4, 3]");
    assertThatThrownBy(() -> new Embedding(0, 2)).hasMessageContaining("0 and 2");
    for (Approximation other : List.of(Approximation.EKFAC, Approximation.DIAGONAL)) {
      assertThatThrownBy(() -> Networks.kfac(layer, OPTIONS.withApproximation(other)))
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("KRONECKER");
    }
    // among others of another approximation it has its own
    KfacOptions mixed =
        OPTIONS
            .withApproximation(Approximation.EKFAC)
            .withApproximation("table", Approximation.KRONECKER);
    new Kfac(new JavaBackend(), Map.of("table", layer, "fc", new Dense(2, 2, true)), mixed).close();
  }
}
