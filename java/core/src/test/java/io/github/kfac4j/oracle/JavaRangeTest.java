package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RangeContract;

class JavaRangeTest extends RangeContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
