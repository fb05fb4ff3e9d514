package io.github.kfac4j.experiments.train;

/** A step could not be finished, for example because gradients became infinite. */
public final class TrainingFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TrainingFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
