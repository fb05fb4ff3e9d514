package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.StridesContract;

@RequiresCuda
class CudaStridesTest extends StridesContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }
}
