package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.ThreadsContract;

@RequiresCuda
class CudaThreadsTest extends ThreadsContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
