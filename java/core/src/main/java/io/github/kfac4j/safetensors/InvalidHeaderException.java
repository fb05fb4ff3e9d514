package io.github.kfac4j.safetensors;

/** What is wrong with a header, before the name of the file is known. */
final class InvalidHeaderException extends Exception {
  private static final long serialVersionUID = 1L;

  private static final int MAX_CHARACTERS = 300;

  /** With a reason that may quote the file: it is cut, and made one line of printable text. */
  InvalidHeaderException(String reason) {
    super(
        (reason.length() > MAX_CHARACTERS ? reason.substring(0, MAX_CHARACTERS) + "..." : reason)
            .replaceAll("\\p{Cntrl}", "?"));
  }
}
