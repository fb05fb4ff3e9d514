package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.curvature.Factors;
import io.github.kfac4j.curvature.KroneckerInverses;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the status {@code ok} promises of a layer: inverses within the bound of {@link
 * InverseAccuracy} at the damping of the report, whatever the method, down to dampings for which
 * the backend's precision has no inverse. A backend's module extends this class.
 */
public abstract class KfacAccuracyContract {
  private static final double[] DAMPINGS = {1, 1e-2, 1e-4, 1e-6, 1e-7, 1e-9, 1e-12};

  /** Opens the backend under test. */
  protected abstract Backend open();

  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void okMeansRight(InversePolicy.Method method) {
    for (double damping : DAMPINGS) {
      KfacOptions options =
          Networks.OPTIONS
              .withDamping(damping)
              .withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
      try (Backend backend = open();
          Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
        kfac.observe(List.of(batch(8, 1)));
        LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
        check(kfac.state().layer("layer"), report, "damping " + damping);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void theLastGoodInverseIsKeptWhereNoneIsOfUse(InversePolicy.Method method) {
    KfacOptions options =
        Networks.OPTIONS.withInversePolicy(new InversePolicy(method, 1e-3, 0, 10, 1));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
      kfac.observe(List.of(batch(8, 1)));
      kfac.refresh();
      LayerState state = kfac.state().layer("layer");
      double[] good = state.matrix(KroneckerInverses.A_INVERSE).toArray();
      kfac.reconfigure(options.withDamping(1e-40));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      assertThat(report.status()).contains("last good inverse kept");
      assertThat(state.matrix(KroneckerInverses.A_INVERSE).toArray()).containsExactly(good);
    }
  }

  /**
   * Rounding is the same in all directions, the gradient of a batch smaller than the layer only in
   * those of large curvature: what the step divides rounding by is smaller by both condition
   * numbers than what it divides the gradient by.
   */
  @ParameterizedTest
  @ValueSource(doubles = {1, 1e-2, 1e-3, 1e-4})
  void aStepWithTheGradientOfTheBatchIsWithinRoundingTimesBothConditions(double damping) {
    KfacOptions options = Networks.OPTIONS.withDamping(damping);
    Observation batch = batch(8, 3);
    HostTensor gradient = gradient(batch, 8);
    double[] expected;
    try (Kfac exact = Networks.kfac(new Dense(90, 40, false), options)) {
      exact.observe(List.of(batch));
      exact.refresh();
      HostTensor same = HostTensor.of(gradient.toArray(), 40, 90); // as it was rounded
      exact.precondition(List.of(new LayerGradient("layer", same, null)));
      expected = same.toArray();
    }
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
      kfac.observe(List.of(batch));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      assertThat(report.status()).isEqualTo("ok");
      kfac.precondition(List.of(new LayerGradient("layer", gradient, null)));
      LayerState state = kfac.state().layer("layer");
      double u = InverseAccuracy.roundoff(state.matrix(Factors.A));
      double conditions =
          condition(state, Factors.A, report.dampingA())
              * condition(state, Factors.G, report.dampingG());
      assertThat(Fixtures.error(gradient.toArray(), expected))
          .as("conditions %s", conditions)
          .isLessThan(0x1p-24 + Math.sqrt(90) * u * conditions); // the result is fp32
    }
  }

  /** Of the damped factor of a batch smaller than it, whose least eigenvalue is the damping. */
  private static double condition(LayerState state, String factor, double damping) {
    double[] m = state.matrix(factor).toArray();
    int n = state.matrix(factor).rows();
    return Literal.norm(Fixtures.damped(m, n, Factors.debias(state), damping), n) / damping;
  }

  /** The mean of the outer products, in fp32. */
  private static HostTensor gradient(Observation batch, int examples) {
    double[] a = ((HostTensor) batch.input()).toArray();
    double[] g = ((HostTensor) batch.outputGrad()).toArray();
    double[] dw = new double[40 * 90];
    for (int n = 0; n < examples; n++) {
      for (int i = 0; i < dw.length; i++) {
        dw[i] += g[n * 40 + i / 90] * a[n * 90 + i % 90] / examples;
      }
    }
    return Fixtures.direct(dw, 40, 90);
  }

  private static Observation batch(int examples, long seed) {
    Random random = new Random(seed);
    double[] a = Networks.gaussian(random, examples * 90);
    double[] g = Networks.gaussian(random, examples * 40);
    return Networks.observation(Fixtures.direct(a, examples, 90), Fixtures.direct(g, examples, 40));
  }

  private static void check(LayerState state, LayerReport.GroupReport report, String damping) {
    double errorA = error(state, Factors.A, report.dampingA());
    double errorG = error(state, Factors.G, report.dampingG());
    double error = Math.max(errorA, errorG);
    String what = "%s: %s, error %s".formatted(damping, report.status(), error);
    if (report.status().equals("ok")) {
      assertThat(error).as(what).isLessThanOrEqualTo(InverseAccuracy.BOUND);
    } else if (error > InverseAccuracy.BOUND) {
      // the estimate is at least 0.3 times the error, and above 1 an inverse is not used
      assertThat(report.status()).as(what).contains("inaccurate: estimated error");
      assertThat(error).as(what).isLessThan(1 / 0.3);
    }
  }

  private static double error(LayerState state, String factor, double damping) {
    double[] m = state.matrix(factor).toArray();
    int n = state.matrix(factor).rows();
    double[] damped = Fixtures.damped(m, n, Factors.debias(state), damping);
    double[] x = state.matrix(factor + "_inverse").toArray();
    double[] product = Literal.multiply(x, damped, n, n, n);
    return Literal.norm(Fixtures.damped(product, n, 1, -1), n);
  }
}
