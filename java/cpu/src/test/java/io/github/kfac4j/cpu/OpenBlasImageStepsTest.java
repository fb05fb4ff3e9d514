package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.ImageStepsContract;

/** The same without libkfac_cpu. */
class OpenBlasImageStepsTest extends ImageStepsContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2, false);
  }
}
