package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.HandedOverContract;

class CpuHandedOverTest extends HandedOverContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
