package io.github.kfac4j.reference;

import io.github.kfac4j.testkit.junit.KfacAccuracyContract;
import io.github.kfac4j.backend.Backend;

class JavaKfacAccuracyTest extends KfacAccuracyContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
