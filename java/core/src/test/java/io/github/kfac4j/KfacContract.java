package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of layer, approximation, damping mode and method of inversion, on a backend against
 * the fp64 one. A backend's module extends this class, like the contract of the verbs.
 */
public abstract class KfacContract {
  /** In fp32 an eigenbasis is as good as the gaps of the spectrum. */
  private static final double TOLERANCE = 1e-3;

  /** Opens the backend under test. */
  protected abstract Backend open();

  static Stream<Arguments> approximations() {
    return Stream.of(Approximation.values())
        .flatMap(a -> a.dampingModes().stream().map(mode -> Arguments.of(a, mode)));
  }

  @ParameterizedTest
  @MethodSource("approximations")
  void everyLayerHasItsApproximations(Approximation approximation, DampingMode mode) {
    KfacOptions options = OPTIONS.withDampingMode(mode).withDamping(0.1).withDecay(0.5);
    compare(approximation, options);
  }

  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void everyMethodInverts(InversePolicy.Method method) {
    KfacOptions options =
        OPTIONS
            .withDamping(0.1)
            .withDecay(0.5)
            .withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
    compare(Approximation.KRONECKER, options);
    compare(Approximation.DOUBLY_FACTORED, options);
  }

  @ParameterizedTest
  @EnumSource(Approximation.class)
  void aDroppedStepLeavesNoTrace(Approximation approximation) {
    KfacOptions options = OPTIONS.withDamping(0.1).withDecay(0.5).withIntervals(1, 2);
    try (Backend backend = open();
        Kfac straight = EveryLayer.kfac(backend, approximation, options);
        Kfac other = EveryLayer.kfac(backend, approximation, options)) {
      for (int step = 0; step < 4; step++) {
        other.observe(EveryLayer.observations(new Random(100 + step)), Share.of(0.5));
        other.refresh();
        other.discardStep();
        assertThat(other.toTensors()).isEqualTo(straight.toTensors());
        assertThat(EveryLayer.step(other, new Random(step)))
            .isDeepEqualTo(EveryLayer.step(straight, new Random(step)));
      }
    }
  }

  private void compare(Approximation approximation, KfacOptions options) {
    try (Backend backend = open();
        Kfac kfac = EveryLayer.kfac(backend, approximation, options);
        Kfac java = EveryLayer.kfac(new JavaBackend(), approximation, options)) {
      for (int step = 0; step < 3; step++) {
        double[][] expected = EveryLayer.step(java, new Random(step));
        double[][] actual = EveryLayer.step(kfac, new Random(step));
        for (int i = 0; i < expected.length; i++) {
          assertThat(Fixtures.error(actual[i], expected[i]))
              .as("step %d, tensor %d", step, i)
              .isLessThan(TOLERANCE);
        }
      }
    }
  }
}
