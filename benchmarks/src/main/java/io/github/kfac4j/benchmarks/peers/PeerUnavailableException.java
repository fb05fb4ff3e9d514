package io.github.kfac4j.benchmarks.peers;

/** A peer that cannot be used here; the message says why and what to do. */
public final class PeerUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PeerUnavailableException(String name, String remedy, Throwable failure) {
    super("peer '%s': %s; %s".formatted(name, deepest(failure), remedy), failure);
  }

  private static String deepest(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String text = cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return text.replaceAll("\\s+", " ");
  }
}
