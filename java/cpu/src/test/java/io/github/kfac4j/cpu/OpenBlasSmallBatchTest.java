package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.SmallBatchContract;

/** Without libkfac_cpu. */
class OpenBlasSmallBatchTest extends SmallBatchContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2, false);
  }
}
