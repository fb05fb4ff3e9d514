package io.github.kfac4j.cpu;

import org.bytedeco.javacpp.Loader;

/** Loads OpenBLAS, once. */
final class OpenBlas {
  private static String failure;
  private static boolean tried;

  private OpenBlas() {}

  /** Loads the library if that was not tried yet; returns why it cannot be used, or null. */
  static synchronized String failure() {
    if (!tried) {
      tried = true;
      try {
        Loader.load(org.bytedeco.openblas.global.openblas.class);
        // Two BLAS threads on cores that others use too collapse to a fraction of one thread's
        // speed: parallelism is ours (see Pool), each BLAS call is serial.
        org.bytedeco.openblas.global.openblas.blas_set_num_threads(1);
      } catch (LinkageError | RuntimeException e) {
        failure = describe(e);
      }
    }
    return failure;
  }

  /** The deepest cause and the remedy, in one line. */
  static String describe(Throwable failure) {
    return deepest(failure)
        + "; OpenBLAS needs the jars org.bytedeco:openblas and org.bytedeco:javacpp, each also with"
        + " the classifier "
        + platform();
  }

  /** The deepest cause, in one line. */
  static String deepest(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String text = cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return text.replaceAll("\\s+", " ");
  }

  /** The classifier of native jars. */
  static String platform() {
    try {
      return Loader.getPlatform();
    } catch (LinkageError e) {
      return "of this platform";
    }
  }
}
