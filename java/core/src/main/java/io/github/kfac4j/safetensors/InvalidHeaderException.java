package io.github.kfac4j.safetensors;

/** What is wrong with a header, before the name of the file is known. */
final class InvalidHeaderException extends Exception {
  private static final long serialVersionUID = 1L;

  InvalidHeaderException(String reason) {
    super(reason);
  }
}
