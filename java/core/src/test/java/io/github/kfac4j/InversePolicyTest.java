package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.oracle.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import org.junit.jupiter.api.Test;

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
      Inversion inversion = (Inversion) request;
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
}
