package io.github.kfac4j.cuda;

import io.github.kfac4j.EigenAccuracyContract;
import io.github.kfac4j.backend.Backend;

@RequiresCuda
class CudaEigenAccuracyTest extends EigenAccuracyContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
