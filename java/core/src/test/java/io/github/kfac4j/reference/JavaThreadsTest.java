package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.ThreadsContract;

class JavaThreadsTest extends ThreadsContract {
  @Override
  protected Backend open() {
    return new JavaBackend();
  }
}
