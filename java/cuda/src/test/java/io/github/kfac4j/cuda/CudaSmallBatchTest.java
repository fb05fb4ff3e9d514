package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.SmallBatchContract;

@RequiresCuda
class CudaSmallBatchTest extends SmallBatchContract {
  @Override
  protected Backend open() {
    return new CudaBackend(0);
  }
}
