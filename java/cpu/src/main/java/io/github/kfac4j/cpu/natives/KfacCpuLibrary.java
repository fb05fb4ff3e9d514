package io.github.kfac4j.cpu.natives;

import java.util.List;
import org.bytedeco.javacpp.Loader;

/** Loads libkfac_cpu, once. The backend works without it, on OpenBLAS alone, but not as fast. */
public final class KfacCpuLibrary {
  private static final System.Logger LOG = System.getLogger(KfacCpuLibrary.class.getName());

  private static final String INSTRUCTIONS = "KFAC_CPU_INSTRUCTIONS";
  private static final List<String> KNOWN = List.of("avx512", "avx2", "portable");

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
      // elsewhere there is nothing to add
      boolean built = LoadFailure.platform().equals("linux-x86_64");
      System.Logger.Level level = built ? System.Logger.Level.WARNING : System.Logger.Level.INFO;
      LOG.log(level, "the cpu backend uses OpenBLAS alone: {0}", failure);
    }
    return failure == null;
  }

  /** What is wrong with a value of the environment variable, null if nothing. */
  public static String complaint(String asked, String used) {
    return asked == null || asked.isEmpty() || KNOWN.contains(asked)
        ? null
        : "%s is '%s', which is none of %s, and has no effect: %s is used"
            .formatted(INSTRUCTIONS, asked.replaceAll("\\p{Cc}", "?"), KNOWN, used);
  }

  private static String load() {
    try {
      Loader.load(KfacCpu.class);
      String complaint = complaint(System.getenv(INSTRUCTIONS), KfacCpu.kfac_cpu_instructions());
      if (complaint != null) {
        LOG.log(System.Logger.Level.WARNING, complaint);
      }
      return null;
    } catch (LinkageError | RuntimeException e) {
      return LoadFailure.deepest(e)
          + "; libkfac_cpu is in the jar io.github.kfac4j:kfac-cpu with the classifier "
          + LoadFailure.platform()
          + " if it was built with cmake and a C++ compiler";
    }
  }
}
