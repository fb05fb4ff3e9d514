package io.github.kfac4j.backend;

/** A backend that was demanded cannot be used on this machine; the message says why. */
public final class BackendUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Names the backend and the reason. */
  public BackendUnavailableException(String name, String reason) {
    super("backend '" + name + "' is not available: " + reason);
  }
}
