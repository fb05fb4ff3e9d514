package io.github.kfac4j.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that is missing, damaged or not safetensors; the message names the file and the reason.
 */
public final class SafetensorsException extends IOException {
  private static final long serialVersionUID = 1L;

  SafetensorsException(Path file, String reason) {
    super(file + ": " + reason);
  }

  SafetensorsException(Path file, String reason, Throwable cause) {
    super(file + ": " + reason, cause);
  }
}
