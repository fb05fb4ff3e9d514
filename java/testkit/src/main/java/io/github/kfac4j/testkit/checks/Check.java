package io.github.kfac4j.testkit.checks;

/**
 * The outcome of one check.
 *
 * @param verb of the backend
 * @param what it was done on
 * @param error relative; null if there is no number, see {@code failure}
 * @param tolerance the largest error that passes; null if it did not come to that
 * @param failure what went wrong other than a large error, in words; null if nothing
 */
public record Check(String verb, String what, Double error, Double tolerance, String failure) {

  /** A comparison of numbers; an error that is not finite is a failure in words. */
  public static Check of(String verb, String what, double error, double tolerance) {
    return Double.isFinite(error) && Double.isFinite(tolerance)
        ? new Check(verb, what, error, tolerance, null)
        : failed(verb, what, "error %s, tolerance %s".formatted(error, tolerance));
  }

  /** A check that failed otherwise than by a large error. */
  public static Check failed(String verb, String what, String failure) {
    return new Check(verb, what, null, null, failure);
  }

  /** Whether the check passed. */
  public boolean ok() {
    return failure == null && error <= tolerance;
  }
}
