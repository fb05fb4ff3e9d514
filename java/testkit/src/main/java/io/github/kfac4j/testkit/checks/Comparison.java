package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/** Does the same work on a backend and on the oracle, and reports how far they are apart. */
final class Comparison {
  private final Backend oracle = new JavaBackend();
  private final Backend candidate;
  private final long seed;
  private final Consumer<Check> results;

  Comparison(Backend candidate, long seed, Consumer<Check> results) {
    this.candidate = candidate;
    this.seed = seed;
    this.results = results;
  }

  /** Results that cannot be compared as numbers, because they disagree in kind. */
  static final class Disagreement extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Disagreement(String message) {
      super(message);
    }
  }

  /** The random numbers of one case: they depend on the seed and the case alone. */
  Random random(String verb, String what) {
    return new Random(seed * 1_000_003 + (verb + what).hashCode());
  }

  /** Compares arrays of numbers by their largest difference. */
  void check(String verb, String what, double tolerance, Function<Side, double[]> work) {
    check(verb, what, expected -> tolerance, work, Fixtures::error);
  }

  /**
   * Compares two results.
   *
   * @param tolerance given the oracle's result
   * @param error of the first result, the candidate's, given the second, the oracle's
   */
  <T> void check(
      String verb,
      String what,
      ToDoubleFunction<T> tolerance,
      Function<Side, T> work,
      ToDoubleBiFunction<T, T> error) {
    Check check;
    try (Side exact = new Side(oracle, true);
        Side side = new Side(candidate, false)) {
      T actual = work.apply(side); // first: if it fails, the oracle's time is saved
      T expected = work.apply(exact);
      check =
          Check.of(
              verb, what, error.applyAsDouble(actual, expected), tolerance.applyAsDouble(expected));
    } catch (Disagreement e) {
      check = Check.failed(verb, what, e.getMessage());
    } catch (RuntimeException e) { // thrown by the backend: the other checks go on
      check = Check.failed(verb, what, e.toString());
    }
    results.accept(check);
  }
}
