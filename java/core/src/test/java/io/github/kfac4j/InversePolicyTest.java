package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoublePredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InversePolicyTest {
  private static final Observation BATCH =
      Networks.observation(
          HostTensor.of(new double[] {1, 2, 3, 4}, 2, 2),
          HostTensor.of(new double[] {1, 0, 0, 1}, 2, 2));

  /** Refuses to invert at dampings for which the predicate holds. */
  private static Backend failing(DoublePredicate fails) {
    Backend java = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("invert")) {
                return invert(java, (List<?>) arguments[0], fails);
              }
              try {
                return method.invoke(java, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static List<Status[]> invert(Backend java, List<?> requests, DoublePredicate fails) {
    List<Status[]> all = new ArrayList<>();
    for (Object request : requests) {
      InvertRequest inversion = (InvertRequest) request;
      boolean fail = Arrays.stream(inversion.damping()).anyMatch(fails);
      all.add(
          fail
              ? new Status[] {Status.notPositiveDefinite(1)}
              : java.invert(List.of(inversion)).get(0));
    }
    return all;
  }

  private static Kfac kfac(Backend backend, InversePolicy policy) {
    // kfac-pytorch damps both factors by the damping itself, which makes the values predictable
    KfacOptions options =
        OPTIONS.withConvention(Convention.KFAC_PYTORCH).withDamping(1).withInversePolicy(policy);
    return new Kfac(backend, Map.of("layer", new Dense(2, 2, false)), options);
  }

  @Test
  void dampingIsRaisedUntilTheFactorCanBeInverted() {
    try (Kfac kfac = kfac(failing(damping -> damping < 50), new InversePolicy(2, 10, 0))) {
      kfac.observe(List.of(BATCH));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      assertThat(report.dampingA()).isEqualTo(100);
      assertThat(report.status())
          .contains("A not positive definite at pivot 1, damping raised from 1.0 to 100.0")
          .contains("; G not positive definite");
    }
  }

  @Test
  void theLastGoodInverseServesForAWhileThenTheLayerIsNamed() {
    boolean[] broken = {false};
    try (Kfac kfac = kfac(failing(damping -> broken[0]), new InversePolicy(1, 10, 2))) {
      kfac.observe(List.of(BATCH));
      assertThat(kfac.refresh().get(0).perGroup().get(0).status()).isEqualTo("ok");
      double[] before = Networks.step(kfac, "layer", new double[] {1, 2, 3, 4});
      broken[0] = true;
      for (int i = 0; i < 2; i++) {
        assertThat(kfac.refresh().get(0).perGroup().get(0).status())
            .endsWith("last good inverse kept");
      }
      assertThat(Networks.step(kfac, "layer", new double[] {1, 2, 3, 4})).containsExactly(before);
      assertThatThrownBy(kfac::refresh)
          .isInstanceOf(InversionFailedException.class)
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("not positive definite at pivot 1")
          .hasMessageContaining("3 refreshes in a row");
      broken[0] = false;
      assertThat(kfac.refresh().get(0).perGroup().get(0).status()).isEqualTo("ok");
    }
  }

  @Test
  void withoutAnEarlierInverseTheLayerIsNamedAtOnce() {
    try (Kfac kfac = kfac(failing(damping -> true), InversePolicy.DEFAULT)) {
      kfac.observe(List.of(BATCH));
      assertThatThrownBy(kfac::refresh)
          .isInstanceOf(InversionFailedException.class)
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("no earlier inverse");
    }
  }

  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void everyMethodGivesTheDampedInverse(InversePolicy.Method method) {
    Random random = new Random(13);
    Dense layer = new Dense(7, 4, true);
    InversePolicy policy = InversePolicy.DEFAULT.withMethod(method);
    KfacOptions options = OPTIONS.withDecay(0.5).withDamping(1e-3);
    try (Kfac kfac = Networks.kfac(layer, options.withInversePolicy(policy));
        Kfac cholesky = Networks.kfac(layer, options)) {
      for (int step = 0; step < 4; step++) { // from the second on there is an inverse to start from
        Observation batch =
            Networks.observation(
                HostTensor.of(Networks.gaussian(random, 21), 3, 7),
                HostTensor.of(Networks.gaussian(random, 12), 3, 4));
        double[] dw = Networks.gaussian(random, 32);
        double[] expected = Networks.precondition(cholesky, batch, dw);
        assertThat(Fixtures.error(Networks.precondition(kfac, batch, dw), expected))
            .isLessThan(1e-9);
        assertThat(kfac.refresh().get(0).perGroup().get(0).status()).isEqualTo("ok");
      }
    }
  }

  @Test
  void anIterationThatMissesItsResidualGivesWayToCholesky() {
    // a condition of 1e20 is beyond any iteration
    Observation batch =
        Networks.observation(
            HostTensor.of(new double[] {1e10, 0, 0, 1}, 2, 2),
            HostTensor.of(new double[] {1, 0, 0, 1}, 2, 2));
    InversePolicy policy = InversePolicy.DEFAULT.withMethod(InversePolicy.Method.NEWTON_SCHULZ);
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH).withDamping(1e-9);
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), options.withInversePolicy(policy))) {
      kfac.observe(List.of(batch));
      assertThat(kfac.refresh().get(0).perGroup().get(0).status())
          .isEqualTo("A residual too large, inverted by Cholesky");
    }
  }

  @Test
  void negativeEigenvaluesDoNoHarmToTheEigenMethod() {
    InversePolicy policy = InversePolicy.DEFAULT.withMethod(InversePolicy.Method.EIGEN);
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH).withDamping(0.5);
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), options.withInversePolicy(policy))) {
      kfac.observe(List.of(BATCH));
      LayerState state = kfac.state().layers().get("layer");
      state.stack(Factors.A).set(new double[] {1, 0, 0, -0.7});
      state.stack(Factors.G).set(new double[] {1, 0, 0, 1});
      state.counters.factorWeight = 1;
      assertThat(kfac.refresh().get(0).perGroup().get(0).status()).isEqualTo("ok");
      double[] u = Networks.step(kfac, "layer", new double[] {1, 1, 1, 1});
      double[] expected = {1 / 2.25, 2 / 1.5, 1 / 2.25, 2 / 1.5};
      assertThat(Fixtures.error(u, expected)).isLessThan(1e-12);
    }
  }

  @Test
  void theReportHoldsConditionDampingAndTime() {
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH).withDamping(1);
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), options)) {
      kfac.observe(List.of(BATCH));
      kfac.state().layers().get("layer").stack(Factors.A).set(new double[] {3, 0, 0, 0});
      LayerReport report = kfac.refresh().get(0);
      LayerReport.FactorReport a = report.perGroup().get(0).factors().get(0);
      assertThat(a.name()).isEqualTo("A");
      assertThat(a.damping()).isEqualTo(1);
      assertThat(a.condition()).isEqualTo((4 + 1) * (0.25 + 1)); // at least 4, at most 4 times it
      assertThat(report.seconds()).isPositive();
    }
    KfacOptions exact = OPTIONS.withDampingMode(DampingMode.EXACT).withDamping(1);
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), exact)) {
      kfac.observe(List.of(BATCH));
      LayerState state = kfac.state().layers().get("layer");
      state.stack(Factors.A).set(new double[] {3, 0, 0, 1});
      state.stack(Factors.G).set(new double[] {5, 0, 0, 2});
      LayerReport.GroupReport group = kfac.refresh().get(0).perGroup().get(0);
      assertThat(group.factors().get(0).name()).isEqualTo("block");
      assertThat(group.factors().get(0).condition()).isCloseTo(16.0 / 3, offset(1e-12));
    }
  }

  @Test
  void impossiblePoliciesAreRefused() {
    assertThatThrownBy(() -> new InversePolicy(-1, 10, 0)).hasMessageContaining("-1");
    assertThatThrownBy(() -> new InversePolicy(InversePolicy.Method.NEWTON_SCHULZ, 1, 0, 10, 0))
        .hasMessageContaining("residual");
  }
}
