package io.github.kfac4j.reference;

import io.github.kfac4j.testkit.junit.KfacRangeContract;
import io.github.kfac4j.backend.Backend;

class JavaKfacRangeTest extends KfacRangeContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
