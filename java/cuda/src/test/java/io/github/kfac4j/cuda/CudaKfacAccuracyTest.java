package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.KfacAccuracyContract;

@RequiresCuda
class CudaKfacAccuracyTest extends KfacAccuracyContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
