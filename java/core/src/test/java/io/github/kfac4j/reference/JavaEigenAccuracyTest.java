package io.github.kfac4j.reference;

import io.github.kfac4j.EigenAccuracyContract;
import io.github.kfac4j.backend.Backend;

class JavaEigenAccuracyTest extends EigenAccuracyContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
