package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.SGD;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every setting of K-FAC in a network of JavaCPP PyTorch. */
class EveryOptionTest {
  private static final int STEPS = 6;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static KfacOptions base() {
    return KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 2);
  }

  private static Map<String, KfacOptions> options() {
    Map<String, KfacOptions> all = new LinkedHashMap<>();
    KfacOptions base = base();
    all.put("damping", base.withDamping(1));
    all.put("estimator", base.withEstimator(Fisher.Estimator.EXACT)); // which the adapter sets
    all.put("exact damping", base.withDampingMode(DampingMode.EXACT));
    for (Convention convention : Convention.values()) {
      all.put("convention " + convention.id(), base.withConvention(convention));
    }
    all.put("EKFAC", base.withApproximation(Approximation.EKFAC));
    all.put("diagonal", base.withApproximation(Approximation.DIAGONAL));
    all.put("by name", base.withApproximation("hidden", Approximation.DIAGONAL));
    all.put("decay", base.withDecay(0.5));
    all.put("clip", base.withKlClip(1e-4, 0.02));
    all.put("no clip", base.withKlClip(1e-4, 0.02).withoutKlClip());
    all.put("intervals", base.withIntervals(2, 4));
    all.put("adaptive", base.withIntervals(Intervals.adaptive(0.1)));
    all.put("adaptive burn-in", base.withIntervals(Intervals.adaptive(0.1).withBurnIn(2)));
    all.put("burn-in", base.withIntervals(Intervals.of(1, 1).withBurnIn(2)));
    all.put("long burn-in", base.withIntervals(Intervals.of(1, 2).withBurnIn(STEPS)));
    all.put("examples", base.withMaxExamples(5));
    for (InversePolicy.Method method : InversePolicy.Method.values()) {
      all.put(
          "inverses by " + method,
          base.withInversePolicy(new InversePolicy(method, 1e-4, 4, 5, 2)));
    }
    return all;
  }

  /** Names of all settings, those inside of settings after a dot. */
  static Stream<String> settings() {
    return names(KfacOptions.class);
  }

  private static Stream<String> names(Class<?> type) {
    return Stream.of(type.getRecordComponents())
        .flatMap(
            c ->
                c.getType().isRecord()
                    ? names(c.getType()).map(inner -> c.getName() + "." + inner)
                    : Stream.of(c.getName()));
  }

  private static Object value(Object settings, String name) {
    Object value = settings;
    for (String part : name.split("\\.")) {
      try {
        value = value.getClass().getMethod(part).invoke(value);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
    return value;
  }

  /** A new setting must be tried, too. */
  @ParameterizedTest
  @MethodSource("settings")
  void isTried(String setting) {
    assertThat(options().values())
        .anySatisfy(
            options -> assertThat(value(options, setting)).isNotEqualTo(value(base(), setting)));
  }

  static Stream<Arguments> all() {
    return options().entrySet().stream().map(e -> Arguments.of(e.getKey(), e.getValue()));
  }

  /** In the burn-in nothing moves, after it every step moves all parameters. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void trains(String name, KfacOptions options) {
    Nets.Cnn net = new Nets.Cnn(1);
    SGD sgd = Nets.sgd(net, 0.02);
    try (TorchKfac kfac = TorchKfac.attach(net, options, Fisher.EMPIRICAL, backend)) {
      for (int step = 1; step <= STEPS; step++) {
        float[][] before = Nets.weights(net);
        assertThat(Nets.step(net, kfac, sgd, step)).isFinite();
        float[][] after = Nets.weights(net);
        for (int i = 0; i < after.length; i++) {
          if (step <= options.intervals().burnIn()) {
            assertThat(after[i]).as("step %d, parameter %d", step, i).isEqualTo(before[i]);
          } else {
            assertThat(after[i]).as("step %d, parameter %d", step, i).isNotEqualTo(before[i]);
          }
          for (float w : after[i]) {
            assertThat(w).isFinite();
          }
        }
      }
      assertThat(kfac.lastReport().step()).isEqualTo(STEPS);
      assertThat(kfac.kfac().options().estimator()).isEqualTo(Fisher.Estimator.EMPIRICAL);
    }
  }
}
