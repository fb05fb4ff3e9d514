package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.ThreadsContract;

class CpuThreadsTest extends ThreadsContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }
}
