package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InverseAccuracyContract;

@RequiresCuda
class CudaInverseAccuracyTest extends InverseAccuracyContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
