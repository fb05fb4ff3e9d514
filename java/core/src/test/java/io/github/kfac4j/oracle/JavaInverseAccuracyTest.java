package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracyContract;

class JavaInverseAccuracyTest extends InverseAccuracyContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
