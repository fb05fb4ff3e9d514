package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.StridesContract;

class JavaStridesTest extends StridesContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
