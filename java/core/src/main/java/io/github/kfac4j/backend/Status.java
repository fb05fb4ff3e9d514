package io.github.kfac4j.backend;

import java.util.Locale;

/**
 * How the factorisation of one matrix ended. A failure is a value, never an exception.
 *
 * @param kind the outcome
 * @param pivot for {@link Kind#NOT_POSITIVE_DEFINITE} the 0-based pivot that was not positive, else
 *     -1
 * @param error for {@link Kind#INACCURATE} the estimate of {@code |X M - I|}, else 0
 */
public record Status(Kind kind, int pivot, double error) {
  /** The outcomes. */
  public enum Kind {
    /** The result was written and is as good as its verb promises. */
    OK,
    /**
     * The inverse was written, but beyond the bound of {@link InverseAccuracy}: the matrix is too
     * ill-conditioned for the precision of its stack. With an error of 1 or more it is of no use.
     */
    INACCURATE,
    /** The damped matrix, or its inverse, holds a NaN or an infinity. */
    NOT_FINITE,
    /** A pivot of the Cholesky factorisation was not positive. */
    NOT_POSITIVE_DEFINITE,
    /** An eigenvalue iteration did not converge. */
    NOT_CONVERGED
  }

  /** Success. */
  public static final Status OK = new Status(Kind.OK, -1, 0);

  /** NaN or infinity met. */
  public static final Status NOT_FINITE = new Status(Kind.NOT_FINITE, -1, 0);

  /** An iteration gave up. */
  public static final Status NOT_CONVERGED = new Status(Kind.NOT_CONVERGED, -1, 0);

  /** Failure at the given 0-based pivot. */
  public static Status notPositiveDefinite(int pivot) {
    return new Status(Kind.NOT_POSITIVE_DEFINITE, pivot, 0);
  }

  /** An inverse with the given estimate of {@code |X M - I|}. */
  public static Status inaccurate(double error) {
    return new Status(Kind.INACCURATE, -1, error);
  }

  /** Whether the result was written and is as good as promised. */
  public boolean ok() {
    return kind == Kind.OK;
  }

  /**
   * For example {@code not positive definite at pivot 17} or {@code inaccurate: estimated error
   * 0.11}.
   */
  @Override
  public String toString() {
    String words = kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return switch (kind) {
      case NOT_POSITIVE_DEFINITE -> words + " at pivot " + pivot;
      case INACCURATE -> words + ": estimated error %.2g".formatted(error);
      default -> words;
    };
  }
}
