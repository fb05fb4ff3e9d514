package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each convention against its formulas, written out on the patches of a real convolution. */
class ConventionTest {
  private static final int N = 5;
  private static final int T = 6;
  private static final double LAMBDA = 0.02;
  private final Random random = new Random(2);
  private final Conv2d layer = Conv2d.of(2, 3, Window.of(2, 2).withPadding(0, 1));
  private final double[] x = gaussian(random, N * 2 * 3 * 2);
  private final double[] g = gaussian(random, N * 3 * T);
  private final double[] dw = gaussian(random, 3 * 9);
  private final Observation observation =
      Networks.observation(HostTensor.of(x, N, 2, 3, 2), HostTensor.of(g, N, 3, 2, 3));
  private final Vectors vectors = layer.use(observation.input(), observation.outputGrad());
  private final double[] sumA =
      Literal.secondMoment(Literal.patches(x, (PatchSamples) vectors.a(), 0));
  private final double[] sumG = Literal.secondMoment(Literal.rows(g, vectors.g(), 0));

  private static double[] times(double[] x, double f) {
    return Arrays.stream(x).map(v -> v * f).toArray();
  }

  private static double trace(double[] m, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += m[i * (n + 1)];
    }
    return sum;
  }

  /** {@code scale (G + g I)^-1 dW (A + a I)^-1}. */
  private double[] factored(double[] aFactor, double a, double[] gFactor, double g, double scale) {
    double[] left = Literal.inverse(Fixtures.damped(gFactor, 3, 1, g), 3);
    double[] right = Literal.inverse(Fixtures.damped(aFactor, 9, 1, a), 9);
    return times(Literal.multiply(Literal.multiply(left, dw, 3, 3, 9), right, 3, 9, 9), scale);
  }

  private double[] actual(KfacOptions options) {
    try (Kfac kfac = Networks.kfac(layer, options.withDamping(LAMBDA))) {
      return Networks.precondition(kfac, observation, dw);
    }
  }

  private double[][] factors(Convention convention) {
    return factors(convention, Fisher.Estimator.EMPIRICAL);
  }

  private double[][] factors(Convention convention, Fisher.Estimator estimator) {
    KfacOptions options = OPTIONS.withConvention(convention).withEstimator(estimator);
    try (Kfac kfac = Networks.kfac(layer, options)) {
      Networks.precondition(kfac, observation, dw);
      return new double[][] {kfac.state().inputFactor("layer"), kfac.state().outputFactor("layer")};
    }
  }

  @ParameterizedTest
  @EnumSource
  void factorsHaveTheScaleOfTheirConvention(Fisher.Estimator estimator) {
    double n = N;
    double t = T;
    double again = estimator == Fisher.Estimator.EMPIRICAL ? n : 1;
    check(Convention.KFC, estimator, 1 / n, 1 / (n * t));
    check(Convention.TENSORFLOW_KFAC, estimator, 1 / (n * t), 1 / (n * t));
    check(Convention.KFAC_JAX, estimator, 1 / (n * t), 1 / (n * t) / again);
    check(
        Convention.KFAC_PYTORCH, estimator, 1 / (n * t) / (t * t), 1 / (n * t) / (t * t) / (n * n));
  }

  private void check(Convention convention, Fisher.Estimator estimator, double a, double g) {
    double[][] factors = factors(convention, estimator);
    assertThat(Fixtures.error(factors[0], times(sumA, a))).isLessThan(1e-12);
    assertThat(Fixtures.error(factors[1], times(sumG, g))).isLessThan(1e-12);
  }

  @Test
  void theBiasCoordinateSumsToTheNumberOfPositions() {
    assertThat(factors(Convention.KFC)[0][80]).isCloseTo(T, offset(1e-12));
    assertThat(factors(Convention.KFAC_JAX)[0][80]).isCloseTo(1, offset(1e-12));
    assertThat(factors(Convention.KFAC_PYTORCH)[0][80]).isCloseTo(1.0 / (T * T), offset(1e-12));
  }

  @Test
  void factoredDampingOfKfc() {
    double[] a = times(sumA, 1.0 / N);
    double[] g = times(sumG, 1.0 / (N * T));
    double pi = Math.sqrt(trace(a, 9) / 9 / (trace(g, 3) / 3));
    double root = Math.sqrt(LAMBDA);
    assertThat(Fixtures.error(actual(OPTIONS), factored(a, pi * root, g, root / pi, 1)))
        .isLessThan(1e-10);
  }

  @ParameterizedTest
  @EnumSource(names = {"TENSORFLOW_KFAC", "KFAC_JAX"})
  void factoredDampingWithMeansDividesByPositions(Convention convention) {
    KfacOptions options =
        OPTIONS.withConvention(convention).withEstimator(Fisher.Estimator.MONTE_CARLO);
    double[] a = times(sumA, 1.0 / (N * T));
    double[] g = times(sumG, 1.0 / (N * T));
    double pi = Math.sqrt(trace(a, 9) / 9 / (trace(g, 3) / 3));
    double root = Math.sqrt(LAMBDA / T);
    assertThat(Fixtures.error(actual(options), factored(a, pi * root, g, root / pi, 1.0 / T)))
        .isLessThan(1e-10);
    // and is the same update as with sums and means
    assertThat(Fixtures.error(actual(options), actual(OPTIONS))).isLessThan(1e-10);
  }

  @Test
  void kfacPytorchAddsDampingToEachFactor() {
    double[] a = times(sumA, 1.0 / (N * T * T * T));
    double[] g = times(sumG, 1.0 / ((double) N * N * N * T * T * T));
    assertThat(
            Fixtures.error(
                actual(OPTIONS.withConvention(Convention.KFAC_PYTORCH)),
                factored(a, LAMBDA, g, LAMBDA, 1)))
        .isLessThan(1e-10);
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void exactDampingInvertsTheDampedBlock(Convention convention) {
    double[][] factors = factors(convention);
    boolean means = convention == Convention.TENSORFLOW_KFAC || convention == Convention.KFAC_JAX;
    double[] block = times(Literal.kronecker(factors[1], 3, factors[0], 9), means ? T : 1);
    KfacOptions options = OPTIONS.withConvention(convention).withDampingMode(DampingMode.EXACT);
    assertThat(Fixtures.error(actual(options), Networks.exact(block, LAMBDA, dw)))
        .isLessThan(1e-10);
  }

  @Test
  void kfacPytorchDividesDenseSequencesOnce() {
    Dense dense = new Dense(4, 2, true);
    double[] input = gaussian(random, 3 * 5 * 4);
    double[] grads = gaussian(random, 3 * 5 * 2);
    Observation sequence =
        Networks.observation(HostTensor.of(input, 3, 5, 4), HostTensor.of(grads, 3, 5, 2));
    try (Kfac kfac = Networks.kfac(dense, OPTIONS.withConvention(Convention.KFAC_PYTORCH))) {
      Networks.precondition(kfac, sequence, gaussian(random, 10));
      Vectors uses = dense.use(sequence.input(), sequence.outputGrad());
      double[] a = Literal.secondMoment(Literal.rows(input, uses.a(), 0));
      double[] g = Literal.secondMoment(Literal.rows(grads, uses.g(), 0));
      assertThat(Fixtures.error(kfac.state().inputFactor("layer"), times(a, 1.0 / 15)))
          .isLessThan(1e-12);
      assertThat(Fixtures.error(kfac.state().outputFactor("layer"), times(g, 1.0 / 15 / 9)))
          .isLessThan(1e-12);
    }
  }

  @Test
  void kfacJaxGivesAllDampingToTheOtherFactorOfAScalar() {
    Dense scalar = new Dense(3, 1, false);
    double[] input = gaussian(random, 8 * 3);
    double[] grads = gaussian(random, 8);
    double[] gradient = gaussian(random, 3);
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_JAX).withDamping(LAMBDA);
    try (Kfac kfac = Networks.kfac(scalar, options)) {
      double[] u =
          Networks.precondition(
              kfac,
              Networks.observation(HostTensor.of(input, 8, 3), HostTensor.of(grads, 8, 1)),
              gradient);
      double[] block =
          times(kfac.state().inputFactor("layer"), kfac.state().outputFactor("layer")[0]);
      assertThat(Fixtures.error(u, Networks.exact(block, LAMBDA, gradient))).isLessThan(1e-10);
    }
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void vanishingGradientsLeaveOnlyDamping(Convention convention) {
    Dense dense = new Dense(2, 2, false);
    double[] gradient = {1, 2, 3, 4};
    KfacOptions options = OPTIONS.withConvention(convention).withDamping(0.25);
    try (Kfac kfac = Networks.kfac(dense, options)) {
      double[] u =
          Networks.precondition(
              kfac,
              Networks.observation(
                  HostTensor.of(new double[] {0, 0}, 1, 2),
                  HostTensor.of(new double[] {0, 0}, 1, 2)),
              gradient);
      double inverse = convention == Convention.KFAC_PYTORCH ? 16 : 4;
      assertThat(Fixtures.error(u, times(gradient, inverse))).isLessThan(1e-12);
    }
  }

  @Test
  void conventionsAreFoundByTheirId() {
    assertThat(Convention.of("kfac-jax")).isEqualTo(Convention.KFAC_JAX);
    assertThatThrownBy(() -> Convention.of("kfac"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'kfac'")
        .hasMessageContaining("tensorflow-kfac");
  }
}
