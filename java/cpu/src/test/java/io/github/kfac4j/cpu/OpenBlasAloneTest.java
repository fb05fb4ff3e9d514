package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.BackendContract;

/** The contract without libkfac_cpu. */
class OpenBlasAloneTest extends BackendContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2, false);
  }
}
