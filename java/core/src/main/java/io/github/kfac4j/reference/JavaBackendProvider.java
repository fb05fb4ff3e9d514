package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendProvider;

/** Announces the pure-Java backend, which works everywhere. */
public final class JavaBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "java";
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public String unavailableReason() {
    return null;
  }

  @Override
  public Backend open() {
    return new JavaBackend();
  }
}
