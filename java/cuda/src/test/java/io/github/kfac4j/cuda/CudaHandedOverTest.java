package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.HandedOverContract;

@RequiresCuda
class CudaHandedOverTest extends HandedOverContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
