package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.BackendContract;

/** The contract once more with inverses by cuSOLVER, of every size. */
@RequiresCuda
class CusolverInversesTest extends BackendContract {
  @Override
  protected Backend open() {
    return new CudaBackend(0).withCusolverInverses();
  }
}
