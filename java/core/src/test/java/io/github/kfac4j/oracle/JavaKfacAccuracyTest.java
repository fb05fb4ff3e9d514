package io.github.kfac4j.oracle;

import io.github.kfac4j.KfacAccuracyContract;
import io.github.kfac4j.backend.Backend;

class JavaKfacAccuracyTest extends KfacAccuracyContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
