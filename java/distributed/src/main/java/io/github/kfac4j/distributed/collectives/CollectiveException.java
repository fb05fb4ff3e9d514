package io.github.kfac4j.distributed.collectives;

/** An operation of all ranks failed, or a rank has left the job. */
public final class CollectiveException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message. */
  public CollectiveException(String message) {
    super(message);
  }

  /** With a message and the cause. */
  public CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
