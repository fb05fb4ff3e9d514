package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.EveryLayer;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Steps of a program that frees native memory by scopes, as programs on JavaCPP do: what K-FAC has
 * allocated outlives all of them, and adds nothing to them.
 */
public abstract class ScopedStepsContract {
  /** A scope of the caller's that is open until it is closed. */
  public interface Scope extends AutoCloseable {
    /** How many pieces of memory were put into the scope. */
    int attached();

    @Override
    void close();
  }

  /** Opens the backend under test. */
  protected abstract Backend open();

  /** Opens a scope as a caller would, around a step. */
  protected abstract Scope scope();

  /** The bytes of native memory that are allocated now. */
  protected abstract long heldBytes();

  /** The usual way for long, every other way for a few refreshes. */
  static Stream<Arguments> kinds() {
    Stream<Arguments> usual = Stream.of(Arguments.of(Approximation.KRONECKER, OPTIONS, 200));
    Stream<Arguments> approximations =
        Stream.of(Approximation.values()).map(a -> Arguments.of(a, OPTIONS, 12));
    Stream<Arguments> methods =
        Stream.of(InversePolicy.Method.values())
            .map(InversePolicy.DEFAULT::withMethod)
            .map(p -> Arguments.of(Approximation.KRONECKER, OPTIONS.withInversePolicy(p), 12));
    return Stream.of(usual, approximations, methods).flatMap(kind -> kind);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aScopeAroundEachStepChangesNothing(
      Approximation approximation, KfacOptions base, int steps) {
    KfacOptions options = base.withDamping(0.1).withDecay(0.5).withIntervals(1, 5);
    long before = heldBytes();
    try (Backend backend = open();
        Backend other = open();
        Kfac plain = EveryLayer.kfac(backend, approximation, options)) {
      Kfac scoped;
      try (Scope scope = scope()) {
        scoped = EveryLayer.kfac(other, approximation, options);
        assertThat(scope.attached()).isZero();
      }
      for (int step = 0; step < steps; step++) {
        double[][] expected = EveryLayer.step(plain, new Random(step));
        try (Scope scope = scope()) {
          assertThat(EveryLayer.step(scoped, new Random(step))).isDeepEqualTo(expected);
          assertThat(scope.attached()).isZero();
        }
      }
      try (Scope scope = scope()) {
        long held = heldBytes();
        scoped.close();
        assertThat(heldBytes()).as("freed while the scope is open").isLessThan(held);
        assertThat(scope.attached()).isZero();
      }
    }
    assertThat(heldBytes()).isEqualTo(before);
  }
}
