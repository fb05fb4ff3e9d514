package io.github.kfac4j.oracle;

import io.github.kfac4j.KfacRangeContract;
import io.github.kfac4j.backend.Backend;

class JavaKfacRangeTest extends KfacRangeContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
