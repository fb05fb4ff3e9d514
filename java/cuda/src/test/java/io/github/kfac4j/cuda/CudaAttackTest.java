package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.AttackContract;

@RequiresCuda
class CudaAttackTest extends AttackContract {
  @Override
  protected Backend open() {
    return new CudaBackendProvider().open();
  }

  /** Emulated kernels take their time. */
  @Override
  protected int requests() {
    return 200;
  }
}
