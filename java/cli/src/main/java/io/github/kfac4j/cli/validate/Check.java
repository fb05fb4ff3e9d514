package io.github.kfac4j.cli.validate;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The outcome of one comparison.
 *
 * @param verb of the backend
 * @param what it was done on
 * @param error relative; null if there is no number, see {@code failure}
 * @param tolerance the largest error that passes; null if it did not come to that
 * @param failure what went wrong other than a large error, in words; null if nothing
 */
record Check(
    String verb,
    @JsonProperty("case") String what,
    Double error,
    Double tolerance,
    @JsonInclude(JsonInclude.Include.NON_NULL) String failure) {

  /** A comparison of numbers; an error that is not finite is a failure in words. */
  static Check of(String verb, String what, double error, double tolerance) {
    return Double.isFinite(error) && Double.isFinite(tolerance)
        ? new Check(verb, what, error, tolerance, null)
        : failed(verb, what, "error %s, tolerance %s".formatted(error, tolerance));
  }

  static Check failed(String verb, String what, String failure) {
    return new Check(verb, what, null, null, failure);
  }

  /** Whether the check passed. */
  @JsonProperty("ok")
  boolean ok() {
    return failure == null && error <= tolerance;
  }
}
