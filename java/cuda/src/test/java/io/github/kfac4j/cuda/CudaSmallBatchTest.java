package io.github.kfac4j.cuda;

import io.github.kfac4j.SmallBatchContract;
import io.github.kfac4j.backend.Backend;

@RequiresCuda
class CudaSmallBatchTest extends SmallBatchContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
