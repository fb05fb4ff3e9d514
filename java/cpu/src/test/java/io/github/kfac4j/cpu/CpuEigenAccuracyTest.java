package io.github.kfac4j.cpu;

import io.github.kfac4j.EigenAccuracyContract;
import io.github.kfac4j.backend.Backend;

class CpuEigenAccuracyTest extends EigenAccuracyContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
