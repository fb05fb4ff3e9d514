package io.github.kfac4j.backend;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/**
 * Chooses among the backends on the class or module path. There are two ways: {@link #best()} falls
 * back and logs one line with the reason, {@link #require(String)} throws.
 */
public final class Backends {
  private static final System.Logger LOG = System.getLogger(Backends.class.getName());

  private static final String PURE_JAVA = "java";

  /** One that runs on every machine with its natives. */
  private static final String NATIVE_CPU = "cpu";

  private Backends() {}

  /** All known providers, the preferred ones first. */
  public static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparingInt(BackendProvider::rank).reversed())
        .toList();
  }

  /**
   * Opens the fastest backend that works here. Each faster one that does not is named in one line
   * of the log, with the reason; that only pure Java is left is a warning, which says what to add.
   */
  public static Backend best() {
    List<BackendProvider> providers = providers();
    for (BackendProvider provider : providers) {
      String reason = provider.unavailableReason();
      if (reason == null) {
        if (provider.name().equals(PURE_JAVA)) {
          warnOfPureJava(providers.stream().anyMatch(one -> one.name().equals(NATIVE_CPU)));
        }
        return provider.open();
      }
      LOG.log(
          System.Logger.Level.INFO, "backend ''{0}'' is not used: {1}", provider.name(), reason);
    }
    throw new BackendUnavailableException("any", "no backend is on the class path");
  }

  private static void warnOfPureJava(boolean nativeCpuFailed) {
    LOG.log(
        System.Logger.Level.WARNING,
        "K-FAC runs in pure Java, several times slower than with a native backend: {0}",
        nativeCpuFailed
            ? "none of those on the class path can be used here, for the reasons in the lines"
                + " before"
            : "add io.github.kfac4j:kfac-cpu, on Linux x86-64 also with the classifier"
                + " linux-x86_64, or for DJL io.github.kfac4j:kfac-djl-platform, which brings"
                + " both");
  }

  /**
   * Opens the named backend.
   *
   * @throws IllegalArgumentException if no backend has this name
   * @throws BackendUnavailableException if it cannot be used here
   */
  public static Backend require(String name) {
    List<BackendProvider> providers = providers();
    for (BackendProvider provider : providers) {
      if (provider.name().equals(name)) {
        String reason = provider.unavailableReason();
        if (reason != null) {
          throw new BackendUnavailableException(name, reason);
        }
        return provider.open();
      }
    }
    throw new IllegalArgumentException(
        "unknown backend '%s'; known are %s"
            .formatted(name, providers.stream().map(BackendProvider::name).toList()));
  }
}
