package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.BackendContract;

class CpuBackendTest extends BackendContract {
  @Override
  protected Backend open() {
    return new CpuBackendProvider().open();
  }
}
