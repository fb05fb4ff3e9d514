package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RangeContract;

class CpuRangeTest extends RangeContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
