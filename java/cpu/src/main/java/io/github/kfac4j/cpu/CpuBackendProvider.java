package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.cpu.openblas.OpenBlas;

/** Announces the CPU backend, which needs the OpenBLAS preset for this platform. */
public final class CpuBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int rank() {
    return 10;
  }

  @Override
  public String unavailableReason() {
    return OpenBlas.failure();
  }

  @Override
  public Backend open() {
    return new CpuBackend(Runtime.getRuntime().availableProcessors());
  }
}
