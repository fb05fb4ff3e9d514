package io.github.kfac4j.backend;

/**
 * How a backend announces itself, found through {@link java.util.ServiceLoader}. Making a provider
 * must not fail and must load no native code; {@link #unavailableReason()} may load it.
 */
public interface BackendProvider {
  /** The backend's name: {@code java}, {@code cpu} or {@code cuda}. */
  String name();

  /** {@link Backends#best()} tries higher ranks first. */
  int rank();

  /**
   * Why the backend cannot be used on this machine, in one line that holds the deepest cause and
   * the remedy; null if it can be used.
   */
  String unavailableReason();

  /**
   * What the backend would run on, in a few words; null if there is nothing to say. Call only if
   * {@link #unavailableReason()} is null.
   */
  default String details() {
    return null;
  }

  /** Opens the backend; call only if {@link #unavailableReason()} is null. */
  Backend open();
}
