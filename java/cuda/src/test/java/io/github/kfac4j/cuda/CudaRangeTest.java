package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RangeContract;

@RequiresCuda
class CudaRangeTest extends RangeContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
