package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendContract;

class CpuBackendTest extends BackendContract {
  @Override
  protected Backend open() {
    return new CpuBackendProvider().open();
  }
}
