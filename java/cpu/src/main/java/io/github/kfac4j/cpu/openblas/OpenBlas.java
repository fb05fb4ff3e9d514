package io.github.kfac4j.cpu.openblas;

import io.github.kfac4j.cpu.natives.LoadFailure;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.presets.openblas_nolapack;

/** Loads OpenBLAS, once, and makes it serial. */
public final class OpenBlas {
  private static String failure;
  private static boolean tried;

  private OpenBlas() {}

  /**
   * Loads the library if that was not tried yet, and sets its threads; returns why it cannot be
   * used, or null.
   */
  public static synchronized String failure() {
    if (!tried) {
      tried = true;
      try {
        Loader.load(org.bytedeco.openblas.global.openblas.class);
      } catch (LinkageError | RuntimeException e) {
        failure = describe(e);
      }
    }
    if (failure == null) {
      // Two BLAS threads on cores that others use too collapse to a fraction of one thread's
      // speed, and give other bits: parallelism is ours (see Pool), each BLAS call is serial.
      // For each backend anew, as others in the process may have set their own number since.
      setThreads(1);
    }
    return failure;
  }

  /**
   * Sets the number of OpenBLAS's threads in this process. The preset's own function would set
   * those of any MKL in the process too, such as libtorch's, whose threads are not ours.
   */
  public static void setThreads(int threads) {
    Pointer address = Loader.addressof("openblas_set_num_threads");
    if (address != null) { // else another library stands in for OpenBLAS, by a setting of JavaCPP
      try (SetThreads function = new SetThreads()) {
        function.put(address);
        function.call(threads);
      }
    }
  }

  private static final class SetThreads extends openblas_nolapack.SetNumThreads {}

  /** The deepest cause and the remedy, in one line. */
  static String describe(Throwable failure) {
    return LoadFailure.deepest(failure)
        + "; OpenBLAS needs the jars org.bytedeco:openblas and org.bytedeco:javacpp, each also with"
        + " the classifier "
        + LoadFailure.platform();
  }
}
