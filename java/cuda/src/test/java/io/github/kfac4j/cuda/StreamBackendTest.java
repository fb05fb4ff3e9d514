package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.BackendContract;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract once more on the stream of a trainer, where verbs do not wait. */
@RequiresCuda
class StreamBackendTest extends BackendContract {
  private static final CUstream_st STREAM = new CUstream_st();

  @BeforeAll
  static void createStream() {
    assertThat(cudaStreamCreate(STREAM)).isZero();
  }

  @AfterAll
  static void destroyStream() {
    assertThat(cudaStreamDestroy(STREAM)).isZero();
  }

  @Override
  protected Backend open() {
    return CudaBackend.onStream(0, STREAM);
  }
}
