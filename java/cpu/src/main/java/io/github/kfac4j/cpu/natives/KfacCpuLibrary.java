package io.github.kfac4j.cpu.natives;

import org.bytedeco.javacpp.Loader;

/** Loads libkfac_cpu, once. The backend works without it, on OpenBLAS alone, but not as fast. */
public final class KfacCpuLibrary {
  private static final System.Logger LOG = System.getLogger(KfacCpuLibrary.class.getName());

  private KfacCpuLibrary() {}

  /** Initialised at the first use. */
  private static final class Once {
    static final boolean AVAILABLE = tryToLoad();
  }

  /** Loads the library if that was not tried yet, and logs one line if it cannot be used. */
  public static boolean isAvailable() {
    return Once.AVAILABLE;
  }

  private static boolean tryToLoad() {
    String failure = load();
    if (failure != null) {
      LOG.log(System.Logger.Level.INFO, "the cpu backend uses OpenBLAS alone: {0}", failure);
    }
    return failure == null;
  }

  private static String load() {
    try {
      Loader.load(KfacCpu.class);
      KfacCpu.kfac_cpu_instructions();
      return null;
    } catch (LinkageError | RuntimeException e) {
      return LoadFailure.deepest(e)
          + "; libkfac_cpu is in the jar kfac-cpu with the classifier "
          + LoadFailure.platform()
          + " if it was built with cmake and a C++ compiler";
    }
  }
}
