package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.testkit.Fixtures;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.junit.jupiter.api.Test;

/** Opening, closing, streams, and memory that does not suffice. */
@RequiresCuda
class LifecycleTest {
  private static final RowSamples ROWS =
      new RowSamples(direct(new double[] {1, 2}), 1, 1, 1, 2, false);

  @Test
  void aClosedBackendSaysSo() {
    CudaBackend backend = new CudaBackend(0);
    MatrixStack stack = backend.allocate(1, 2, 2);
    backend.close();
    backend.close();
    for (Runnable use :
        List.<Runnable>of(
            () -> backend.allocate(1, 2, 2),
            () -> backend.accumulate(List.of(new AccumulateRequest(stack, 0, 1, ROWS))),
            () -> backend.firstNonFinite(List.of(direct(new double[1]))),
            () -> backend.invert(List.of()),
            () -> backend.decompose(List.of()),
            () -> backend.traces(List.of(stack)),
            stack::toArray,
            () -> stack.set(new double[4]))) {
      assertThatIllegalStateException().isThrownBy(use::run).withMessageContaining("closed");
    }
    stack.close();
  }

  @Test
  void aStackOfAnotherBackendIsRefused() {
    try (CudaBackend one = new CudaBackend(0);
        CudaBackend other = new CudaBackend(0)) {
      MatrixStack foreign = other.allocate(1, 2, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.accumulate(List.of(new AccumulateRequest(foreign, 0, 1, ROWS))))
          .withMessageContaining("another backend");
    }
  }

  @Test
  void worksOnTheStreamOfATrainer() {
    CUstream_st stream = new CUstream_st();
    assertThat(cudaStreamCreate(stream)).isZero();
    try (CudaBackend backend = CudaBackend.onStream(0, stream)) {
      MatrixStack moment = backend.allocate(1, 2, 2);
      backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, ROWS)));
      assertThat(moment.toArray()).containsExactly(1, 2, 2, 4);
    }
    assertThat(cudaStreamDestroy(stream)).as("the stream stays the caller's").isZero();
  }

  @Test
  void streamsAndDevicesThatAreNotThereAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CudaBackend.onStream(0, null))
        .withMessageContaining("stream is null");
    assertThatThrownBy(() -> new CudaBackend(99))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cudaSetDevice failed with 101")
        .hasMessageContaining("device 99");
    CUstream_st stream = new CUstream_st();
    assertThat(cudaStreamCreate(stream)).isZero();
    assertThatThrownBy(() -> CudaBackend.onStream(99, stream))
        .isInstanceOfAny(CudaException.class, IllegalArgumentException.class);
    assertThat(cudaStreamDestroy(stream)).isZero();
    new CudaBackend(0).close();
  }

  @Test
  void tooLittleMemoryIsARecoverableErrorOfItsOwn() {
    try (CudaBackend backend = new CudaBackend(0)) {
      MatrixStack kept = Fixtures.stack(backend, 1, 1, 2, new double[] {3, 4});
      List<MatrixStack> large = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  large.add(backend.allocate(1, 46340, 46340));
                }
              })
          .isInstanceOf(CudaOutOfMemoryException.class)
          .hasMessageContaining("cudaMalloc failed with 2")
          .hasMessageContaining("8589582400 bytes for a stack of 1 x 46340 x 46340")
          .hasMessageContaining("MiB are free")
          .satisfies(e -> assertThat(((CudaException) e).fatal()).isFalse());
      large.forEach(MatrixStack::close);
      assertThat(kept.toArray()).containsExactly(3, 4);
      MatrixStack moment = backend.allocate(1, 2, 2);
      backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, ROWS)));
      assertThat(moment.toArray()).containsExactly(1, 2, 2, 4);
    }
  }
}
