package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.KfacContract;

@RequiresCuda
class CudaKfacTest extends KfacContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
