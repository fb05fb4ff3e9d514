package io.github.kfac4j.cpu;

import io.github.kfac4j.EigenAccuracyContract;
import io.github.kfac4j.backend.Backend;

/** Without libkfac_cpu. */
class OpenBlasEigenAccuracyTest extends EigenAccuracyContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2, false);
  }
}
