package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.KfacRangeContract;

@RequiresCuda
class CudaKfacRangeTest extends KfacRangeContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
