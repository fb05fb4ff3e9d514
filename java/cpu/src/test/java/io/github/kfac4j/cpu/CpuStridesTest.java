package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.StridesContract;

class CpuStridesTest extends StridesContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
