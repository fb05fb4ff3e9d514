package io.github.kfac4j.distributed.collectives;

import java.util.List;
import java.util.ServiceLoader;

/**
 * How an engine in another module announces itself, found through {@link ServiceLoader}: one that
 * needs a job that ranks have joined already, to find each other. Making a provider must not fail
 * and must load no native code.
 */
public interface CollectivesProvider {
  /** The engine's name: {@code nccl}. */
  String name();

  /**
   * Why the engine cannot be used in this process, in one line with the remedy; null if it can be
   * used.
   */
  String unavailableReason();

  /**
   * Makes the engine of the ranks of a job; called by all if it can be used by all.
   *
   * @param job by which the ranks meet; from then on it belongs to the engine
   */
  Collectives join(Collectives job);

  /** All that are on the class or module path. */
  static List<CollectivesProvider> all() {
    return ServiceLoader.load(CollectivesProvider.class, CollectivesProvider.class.getClassLoader())
        .stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }
}
