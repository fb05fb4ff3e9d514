package io.github.kfac4j.benchmarks.peers;

/** A peer that cannot be used here; the message says why. */
public final class PeerUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PeerUnavailableException(String name, Throwable failure) {
    super("peer '%s': %s; %s".formatted(name, deepest(failure), REMEDY), failure);
  }

  private static final String REMEDY =
      "the native code of nd4j and mkl is there after a build with -Ppeers";

  private static String deepest(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String text = cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return text.replaceAll("\\s+", " ");
  }
}
