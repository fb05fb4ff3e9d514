package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.Fixtures;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/** Does the same work on a backend and on a reference, and reports how far they are apart. */
final class Comparison {
  private final Backend candidate;
  private final Backend reference;
  private final long seed;
  private final Consumer<Check> results;

  /**
   * @param candidate the backend under test
   * @param reference one that is right
   * @param results is told of each check when it is done
   */
  Comparison(Backend candidate, Backend reference, long seed, Consumer<Check> results) {
    this.candidate = candidate;
    this.reference = reference;
    this.seed = seed;
    this.results = results;
  }

  /** A check that failed otherwise than by a large error. */
  private static final class Disagreement extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Disagreement(String message) {
      super(message);
    }
  }

  /** Ends a check as failed unless something holds. */
  static void demand(boolean holds, String otherwise, Object... arguments) {
    if (!holds) {
      throw new Disagreement(otherwise.formatted(arguments));
    }
  }

  /** Ends a check as failed unless an action throws such an exception. */
  static void demandThrows(Class<? extends Exception> kind, String words, Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      demand(kind.isInstance(e), "%s, expected %s", e, kind.getSimpleName());
      demand(String.valueOf(e.getMessage()).contains(words), "'%s' does not say '%s'", e, words);
      return;
    }
    throw new Disagreement("no " + kind.getSimpleName());
  }

  /** The random numbers of one case: they depend on the seed and the case alone. */
  Random random(String verb, String what) {
    return new Random(seed * 1_000_003 + (verb + what).hashCode());
  }

  /** Compares arrays of numbers by their largest difference. */
  void check(String verb, String what, Tolerance tolerance, Function<Side, double[]> work) {
    check(verb, what, tolerance, work, Fixtures::error);
  }

  /** Compares several arrays, each by its own largest number. */
  void checkEach(
      String verb, String what, Tolerance tolerance, Function<Side, List<double[]>> work) {
    check(
        verb,
        what,
        tolerance,
        work,
        (actual, expected) -> {
          double worst = 0;
          for (int i = 0; i < expected.size(); i++) {
            worst = Math.max(worst, Fixtures.error(actual.get(i), expected.get(i)));
          }
          return worst;
        });
  }

  /**
   * Compares two results.
   *
   * @param error of the first result, the candidate's, given the second, the reference's
   */
  <T> void check(
      String verb,
      String what,
      Tolerance tolerance,
      Function<Side, T> work,
      ToDoubleBiFunction<T, T> error) {
    check(verb, what, side -> expected -> tolerance.of(side), work, error);
  }

  /**
   * Compares two results.
   *
   * @param tolerance for a candidate, given the reference's result
   */
  <T> void check(
      String verb,
      String what,
      Function<Side, ToDoubleFunction<T>> tolerance,
      Function<Side, T> work,
      ToDoubleBiFunction<T, T> error) {
    measure(
        verb,
        what,
        side -> {
          T actual = work.apply(side); // first: if it fails, the reference's time is saved
          try (Side exact = new Side(reference, true)) {
            T expected = work.apply(exact);
            return new Measured(
                error.applyAsDouble(actual, expected),
                tolerance.apply(side).applyAsDouble(expected));
          }
        });
  }

  /** Measures the candidate's error by other means than the reference. */
  void measure(String verb, String what, Function<Side, Measured> work) {
    results.accept(
        guarded(
            verb,
            what,
            () -> {
              try (Side side = new Side(candidate, false)) {
                Measured measured = work.apply(side);
                return Check.of(verb, what, measured.error(), measured.tolerance());
              }
            }));
  }

  /** Checks a law that holds or not; {@link #demand} says which. */
  void law(String verb, String what, Consumer<Side> law) {
    measure(
        verb,
        what,
        side -> {
          law.accept(side);
          return new Measured(0, 0);
        });
  }

  private static Check guarded(String verb, String what, Supplier<Check> check) {
    try {
      return check.get();
    } catch (Disagreement e) {
      return Check.failed(verb, what, e.getMessage());
    } catch (RuntimeException e) { // thrown by the backend: the other checks go on
      return Check.failed(verb, what, e.toString());
    }
  }
}
