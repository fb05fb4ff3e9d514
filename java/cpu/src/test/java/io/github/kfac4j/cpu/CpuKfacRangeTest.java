package io.github.kfac4j.cpu;

import io.github.kfac4j.testkit.junit.KfacRangeContract;
import io.github.kfac4j.backend.Backend;

class CpuKfacRangeTest extends KfacRangeContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
