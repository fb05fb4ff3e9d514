package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendProvider;

/**
 * Announces the CUDA backend, on the first device that {@code CUDA_VISIBLE_DEVICES} leaves; of
 * several ranks on a machine each takes its own.
 */
public final class CudaBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int rank() {
    return 20;
  }

  @Override
  public String unavailableReason() {
    return CudaLibrary.failure();
  }

  @Override
  public String details() {
    return CudaLibrary.details();
  }

  @Override
  public Backend open() {
    return new CudaBackend(LocalDevice.ofThisProcess());
  }
}
