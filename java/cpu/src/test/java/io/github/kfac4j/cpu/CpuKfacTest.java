package io.github.kfac4j.cpu;

import io.github.kfac4j.testkit.junit.KfacContract;
import io.github.kfac4j.backend.Backend;

class CpuKfacTest extends KfacContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
