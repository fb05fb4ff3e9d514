package io.github.kfac4j.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacState;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
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
          EveryLayer.OPTIONS
              .withDamping(damping)
              .withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
      try (Backend backend = open();
          Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
        kfac.observe(List.of(batch(8, 1)));
        LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
        check(kfac.state(), report, "damping " + damping);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void theLastGoodInverseIsKeptWhereNoneIsOfUse(InversePolicy.Method method) {
    KfacOptions options =
        EveryLayer.OPTIONS.withInversePolicy(new InversePolicy(method, 1e-3, 0, 10, 1));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
      kfac.observe(List.of(batch(8, 1)));
      kfac.refresh();
      double[] good = inverse(kfac.state(), "A");
      kfac.reconfigure(options.withDamping(1e-40));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      assertThat(report.status()).contains("last good inverse kept");
      assertThat(inverse(kfac.state(), "A")).containsExactly(good);
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
    KfacOptions options = EveryLayer.OPTIONS.withDamping(damping);
    Observation batch = batch(8, 3);
    HostTensor gradient = gradient(batch, 8);
    double[] expected;
    try (Backend java = new JavaBackend();
        Kfac exact = new Kfac(java, Map.of("layer", new Dense(90, 40, false)), options)) {
      exact.observe(List.of(batch));
      exact.refresh();
      HostTensor same = HostTensor.of(gradient.toArray(), 40, 90); // as it was rounded
      exact.precondition(List.of(new LayerGradient("layer", same)));
      expected = same.toArray();
    }
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(90, 40, false)), options)) {
      kfac.observe(List.of(batch));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      assertThat(report.status()).isEqualTo("ok");
      kfac.precondition(List.of(new LayerGradient("layer", gradient)));
      double conditions =
          condition(kfac.state(), "A", report.dampingA())
              * condition(kfac.state(), "G", report.dampingG());
      assertThat(Fixtures.error(gradient.toArray(), expected))
          .as("conditions %s", conditions)
          .isLessThan(
              0x1p-24 + Math.sqrt(90) * roundoff(backend) * conditions); // the result is fp32
    }
  }

  /**
   * A block damped as a whole, of one example: its gradient ga' is an eigenvector of the block, so
   * that the step is {@code ga' / (|g|^2 |a|^2 + damping)}. Rounding ends in all directions.
   */
  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "EKFAC"})
  void okMeansRightOfStepsInABasis(Approximation approximation) {
    KfacOptions options =
        EveryLayer.OPTIONS
            .withApproximation(approximation)
            .withDampingMode(DampingMode.EXACT)
            .withDamping(1e-3);
    boolean inaccurate = false;
    for (double scale = 1; scale <= 1e9; scale *= 10) {
      double[] a = Fixtures.gaussian(new Random(5), 12);
      double[] g = Fixtures.gaussian(new Random(6), 7);
      for (int i = 0; i < a.length; i++) {
        a[i] = (float) (scale * a[i]);
      }
      for (int i = 0; i < g.length; i++) {
        g[i] = (float) g[i];
      }
      double[] dw = new double[7 * 12];
      Arrays.setAll(dw, i -> g[i / 12] * a[i % 12]);
      double eigenvalue = Arrays.stream(dw).map(x -> x * x).sum();
      double[] expected = Arrays.stream(dw).map(x -> x / (eigenvalue + 1e-3)).toArray();
      try (Backend backend = open();
          Kfac kfac = new Kfac(backend, Map.of("layer", new Dense(12, 7, false)), options)) {
        HostTensor gradient =
            roundoff(backend) < 0x1p-50 ? HostTensor.of(dw, 7, 12) : Fixtures.direct(dw, 7, 12);
        kfac.observe(
            List.of(
                Observation.ofSumLoss(
                    "layer", Fixtures.direct(a, 1, 12), Fixtures.direct(g, 1, 7))));
        String status = kfac.refresh().get(0).perGroup().get(0).status();
        kfac.precondition(List.of(new LayerGradient("layer", gradient)));
        double error = Fixtures.error(gradient.toArray(), expected);
        if (status.equals("ok")) {
          assertThat(error).as("scale %s", scale).isLessThan(InverseAccuracy.BOUND);
        } else {
          assertThat(status).as("scale %s", scale).contains("block inaccurate: estimated error");
          inaccurate = true;
        }
      }
    }
    assertThat(inaccurate).as("some block is beyond the precision").isTrue();
  }

  /** Of the damped factor of a batch smaller than it, whose least eigenvalue is the damping. */
  private static double condition(KfacState state, String factor, double damping) {
    double[] m = state.factor("layer", factor);
    int n = size(m);
    return Literal.norm(Fixtures.damped(m, n, 1, damping), n) / damping;
  }

  /** The unit roundoff of what a backend stores. */
  private static double roundoff(Backend backend) {
    try (MatrixStack stack = backend.allocate(1, 1, 1)) {
      return InverseAccuracy.roundoff(stack);
    }
  }

  private static int size(double[] matrix) {
    return (int) Math.sqrt(matrix.length);
  }

  /** As it is stored, since nothing decays here. */
  private static double[] inverse(KfacState state, String factor) {
    return state.factor("layer", factor + "_inverse");
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
    double[] a = Fixtures.gaussian(random, examples * 90);
    double[] g = Fixtures.gaussian(random, examples * 40);
    HostTensor input = Fixtures.direct(a, examples, 90);
    return Observation.ofSumLoss("layer", input, Fixtures.direct(g, examples, 40));
  }

  private static void check(KfacState state, LayerReport.GroupReport report, String damping) {
    double errorA = error(state, "A", report.dampingA());
    double errorG = error(state, "G", report.dampingG());
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

  private static double error(KfacState state, String factor, double damping) {
    double[] m = state.factor("layer", factor);
    int n = size(m);
    double[] x = inverse(state, factor);
    double[] product = Literal.multiply(x, Fixtures.damped(m, n, 1, damping), n, n, n);
    return Literal.norm(Fixtures.damped(product, n, 1, -1), n);
  }
}
