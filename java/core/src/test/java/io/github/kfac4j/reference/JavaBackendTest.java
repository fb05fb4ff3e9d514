package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.LiteralBackend;
import io.github.kfac4j.testkit.junit.BackendContract;

/** The fp64 backend against literal definitions; every other backend is compared with this one. */
class JavaBackendTest extends BackendContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }

  @Override
  protected Backend openReference() {
    return new LiteralBackend();
  }
}
