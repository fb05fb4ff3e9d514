package io.github.kfac4j.cpu.natives;

import org.bytedeco.javacpp.Loader;

/** What is said when a native library cannot be loaded. */
public final class LoadFailure {
  private LoadFailure() {}

  /** The deepest cause, in one line. */
  public static String deepest(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String text = cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return text.replaceAll("\\s+", " ");
  }

  /** The classifier of native jars. */
  public static String platform() {
    try {
      return Loader.getPlatform();
    } catch (LinkageError e) {
      return "of this platform";
    }
  }
}
