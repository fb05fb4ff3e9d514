package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sizes of one and none, singular matrices, data that fills several staging buffers. */
@RequiresCuda
class EdgeCasesTest {
  private CudaBackend backend;

  @BeforeEach
  void open() {
    backend = new CudaBackend(0);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void anEmptyBatchDecaysWhatWasThere() {
    RowSamples none = new RowSamples(direct(new double[0], 0, 2), 0, 1, 1, 2, false);
    MatrixStack moment = Fixtures.stack(backend, 1, 2, 2, new double[] {1, 2, 2, 8});
    backend.accumulate(List.of(new AccumulateRequest(moment, 0.5, 1, none)));
    assertThat(moment.toArray()).containsExactly(0.5, 1, 1, 4);
    MatrixStack inBasis = Fixtures.stack(backend, 1, 2, 2, new double[] {1, 2, 3, 8});
    backend.accumulateInBasis(
        List.of(new BasisAccumulateRequest(inBasis, 0.5, 1, none, none, null, null)));
    assertThat(inBasis.toArray()).containsExactly(0.5, 1, 1.5, 4);
    assertThat(backend.firstNonFinite(List.of(none.data()))).containsExactly(-1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 40, 100, 150})
  void aSingularMatrixIsNotPositiveDefinite(int n) {
    double[] old = gaussian(new Random(1), n * n);
    MatrixStack inverse = Fixtures.stack(backend, 1, n, n, old);
    MatrixStack zero = backend.allocate(1, n, n);
    assertThat(
            backend.invert(List.of(new InvertRequest(zero, 1, new double[] {0}, inverse))).get(0))
        .containsExactly(Status.notPositiveDefinite(0));
    assertThat(inverse.toArray()).containsExactly(old);
  }

  @Test
  void aMatrixOfOne() {
    MatrixStack three = Fixtures.stack(backend, 1, 1, 1, new double[] {3});
    MatrixStack inverse = backend.allocate(1, 1, 1);
    MatrixStack vector = backend.allocate(1, 1, 1);
    MatrixStack value = backend.allocate(1, 1, 1);
    backend.invert(List.of(new InvertRequest(three, 1, new double[] {1}, inverse)));
    backend.decompose(List.of(new DecomposeRequest(three, 2, vector, value)));
    assertThat(inverse.toArray()).containsExactly(0.25);
    assertThat(Math.abs(vector.toArray()[0])).isEqualTo(1);
    assertThat(value.toArray()).containsExactly(6);
    assertThat(backend.traces(List.of(three)).get(0)).containsExactly(3);
  }

  @Test
  void infiniteEigenproblemsAreReportedBesideGoodOnes() {
    double[] two = {2, 0, 0, 5, Double.POSITIVE_INFINITY, 0, 0, 1};
    MatrixStack vectors = backend.allocate(2, 2, 2);
    MatrixStack values = Fixtures.stack(backend, 2, 1, 2, new double[] {7, 7, 7, 7});
    MatrixStack source = Fixtures.stack(backend, 2, 2, 2, two);
    assertThat(backend.decompose(List.of(new DecomposeRequest(source, 1, vectors, values))).get(0))
        .containsExactly(Status.OK, Status.NOT_FINITE);
    assertThat(values.toArray()).containsExactly(2, 5, 7, 7);
  }

  @Test
  void dataOfSeveralStagingBuffersArrivesWhole() {
    int size = 3_000_001; // two and a bit of them
    double[] values = gaussian(new Random(2), size);
    MatrixStack stack = Fixtures.stack(backend, 1, 1, size, values);
    assertThat(Arrays.equals(stack.toArray(), values)).isTrue();
  }
}
