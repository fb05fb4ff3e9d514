package io.github.kfac4j.data;

/** A factor could not be inverted and the inverse policy has no fallback left. */
public final class InversionFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message that names the layer. */
  public InversionFailedException(String message) {
    super(message);
  }
}
