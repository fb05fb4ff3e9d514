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
   * of the log, with the reason.
   */
  public static Backend best() {
    for (BackendProvider provider : providers()) {
      String reason = provider.unavailableReason();
      if (reason == null) {
        return provider.open();
      }
      LOG.log(
          System.Logger.Level.INFO, "backend ''{0}'' is not used: {1}", provider.name(), reason);
    }
    throw new BackendUnavailableException("any", "no backend is on the class path");
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
