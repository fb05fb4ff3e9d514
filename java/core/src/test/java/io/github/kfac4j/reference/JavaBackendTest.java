package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendContract;

class JavaBackendTest extends BackendContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
