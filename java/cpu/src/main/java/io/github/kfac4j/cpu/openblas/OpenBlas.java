package io.github.kfac4j.cpu.openblas;

import io.github.kfac4j.cpu.natives.LoadFailure;
import org.bytedeco.javacpp.Loader;

/** Loads OpenBLAS, once, and makes it serial while it works for us. */
public final class OpenBlas {
  private static String failure;
  private static boolean tried;
  private static OpenBlasThreads threads;

  /** How many runs of ours are under way, and the threads that OpenBLAS had before the first. */
  private static int runs;

  private static int threadsOfOthers;

  private OpenBlas() {}

  /** Loads the library if that was not tried yet; returns why it cannot be used, or null. */
  public static synchronized String failure() {
    if (!tried) {
      tried = true;
      try {
        Loader.load(org.bytedeco.openblas.global.openblas.class);
        threads = OpenBlasThreads.find();
      } catch (LinkageError | RuntimeException e) {
        failure = describe(e);
      }
    }
    return failure;
  }

  /**
   * Runs work in which each call of OpenBLAS takes one thread: parallelism is ours (see Pool). Two
   * BLAS threads on cores that others use too collapse to a fraction of one thread's speed, and
   * give other bits. Afterwards OpenBLAS has the threads that it had: the same copy of it serves
   * whatever else in the process is linked with it, JavaCPP's PyTorch and ND4J for example.
   */
  public static void serially(Runnable work) {
    begin();
    try {
      work.run();
    } finally {
      end();
    }
  }

  private static synchronized void begin() {
    if (runs++ == 0) {
      threadsOfOthers = threads.set(1);
    }
  }

  private static synchronized void end() {
    if (--runs == 0) {
      threads.set(threadsOfOthers);
    }
  }

  /** The deepest cause and the remedy, in one line. */
  static String describe(Throwable failure) {
    return LoadFailure.deepest(failure)
        + "; OpenBLAS needs the jars org.bytedeco:openblas and org.bytedeco:javacpp, each also with"
        + " the classifier "
        + LoadFailure.platform();
  }
}
