package io.github.kfac4j.cuda;

import io.github.kfac4j.testkit.ChildJvm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Runs a main class of the tests in a JVM of its own, emulated if this one is. */
public final class CudaJvm {
  private CudaJvm() {}

  /** The lines that the class prints, on a class path of the entries that are kept. */
  public static List<String> run(
      Class<?> main, Predicate<String> keep, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>();
    for (String property :
        List.of(CudaLibrary.EMULATION, "org.bytedeco.javacpp.platform.linkpath")) {
      if (System.getProperty(property) != null) {
        all.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    all.addAll(List.of(options));
    // the log is not part of what the class prints
    String output = ChildJvm.run(main, ChildJvm.without(keep.negate()), environment, false, all);
    return output.strip().lines().toList();
  }
}
