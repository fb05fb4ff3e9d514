package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.BackendContract;

@RequiresCuda
class CudaBackendTest extends BackendContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
