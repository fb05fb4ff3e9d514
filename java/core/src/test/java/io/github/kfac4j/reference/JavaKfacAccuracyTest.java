package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.KfacAccuracyContract;

class JavaKfacAccuracyTest extends KfacAccuracyContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
