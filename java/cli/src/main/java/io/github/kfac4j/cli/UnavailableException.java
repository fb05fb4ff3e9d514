package io.github.kfac4j.cli;

/** A backend that was demanded is not available; exit code 3, the message is the reason. */
public final class UnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The message is the deepest reason known. */
  public UnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
