package io.github.kfac4j.backend;

import java.util.Locale;

/**
 * How the factorisation of one matrix ended. A failure is a value, never an exception.
 *
 * @param kind the outcome
 * @param pivot for {@link Kind#NOT_POSITIVE_DEFINITE} the 0-based pivot that was not positive, else
 *     -1
 */
public record Status(Kind kind, int pivot) {
  /** The outcomes. */
  public enum Kind {
    /** The result was written. */
    OK,
    /** The damped matrix, or its inverse, holds a NaN or an infinity. */
    NOT_FINITE,
    /** A pivot of the Cholesky factorisation was not positive. */
    NOT_POSITIVE_DEFINITE,
    /** An eigenvalue iteration did not converge. */
    NOT_CONVERGED
  }

  /** Success. */
  public static final Status OK = new Status(Kind.OK, -1);

  /** NaN or infinity met. */
  public static final Status NOT_FINITE = new Status(Kind.NOT_FINITE, -1);

  /** An iteration gave up. */
  public static final Status NOT_CONVERGED = new Status(Kind.NOT_CONVERGED, -1);

  /** Failure at the given 0-based pivot. */
  public static Status notPositiveDefinite(int pivot) {
    return new Status(Kind.NOT_POSITIVE_DEFINITE, pivot);
  }

  /** Whether the result was written. */
  public boolean ok() {
    return kind == Kind.OK;
  }

  /** For example {@code not positive definite at pivot 17}. */
  @Override
  public String toString() {
    String words = kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return kind == Kind.NOT_POSITIVE_DEFINITE ? words + " at pivot " + pivot : words;
  }
}
