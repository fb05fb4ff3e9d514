package io.github.kfac4j.experiments;

/**
 * A mistake in the arguments or in a file that the user can correct; ends the command with exit
 * code 2 and this message as the one line on stderr.
 */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The message says what is wrong, names the value, and if possible what to do. */
  public BadInputException(String message) {
    super(message);
  }

  /** As above, with the cause for debugging. */
  public BadInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
