package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Eigendecompositions of which cuSOLVER says or does not say that they failed: its stand-in is told
 * to.
 */
@RequiresCuda
class EigenFallbackTest {
  private static List<String> run(String failure) throws Exception {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "only the stand-in fails on demand");
    return CudaJvm.run(Decomposition.class, entry -> true, Map.of("KFAC_FAKE_EIGEN", failure));
  }

  @ParameterizedTest
  @ValueSource(strings = {"info", "nan", "noise"})
  void whatDivideAndConquerDoesNotFindJacobiRotationsDo(String failure) throws Exception {
    assertThat(run("cusolverDnDsyevd " + failure))
        .containsExactly("[ok, ok, not finite] 1.0 3.0 2.0 6.0 7.0 7.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"info", "nan", "noise"})
  void whatNeitherFindsIsReportedAndLeavesTheOldValues(String failure) throws Exception {
    assertThat(run("all " + failure))
        .containsExactly("[not converged, not converged, not finite] 7.0 7.0 7.0 7.0 7.0 7.0");
  }

  @Test
  void withoutAFailureTheResultIsTheSame() throws Exception {
    assertThat(run("none info")).containsExactly("[ok, ok, not finite] 1.0 3.0 2.0 6.0 7.0 7.0");
  }

  /**
   * Prints how the decompositions of three matrices ended, and the two least eigenvalues of each to
   * six digits. They are too large for the kernels of our own.
   */
  static final class Decomposition {
    private static final int N = 66;

    public static void main(String[] args) {
      double[] corners = {2, 1, 2, 4, 2, 4, 1, Double.NaN, 1};
      double[] matrices = new double[3 * N * N];
      for (int m = 0; m < 3; m++) {
        int first = m * N * N;
        for (int i = 2; i < N; i++) {
          matrices[first + i * (N + 1)] = 9;
        }
        matrices[first] = corners[3 * m];
        matrices[first + 1] = matrices[first + N] = corners[3 * m + 1];
        matrices[first + N + 1] = corners[3 * m + 2];
      }
      double[] old = new double[3 * N];
      Arrays.fill(old, 7);
      try (CudaBackend backend = new CudaBackend(0);
          MatrixStack vectors = backend.allocateBasis(3, N, N);
          MatrixStack values = Fixtures.stack(backend, 3, 1, N, old);
          MatrixStack source = Fixtures.stack(backend, 3, N, N, matrices)) {
        DecomposeRequest request = new DecomposeRequest(source, 1, vectors, values);
        Status[] statuses = backend.decompose(List.of(request)).get(0);
        StringBuilder line = new StringBuilder(Arrays.toString(statuses));
        double[] found = values.toArray();
        for (int m = 0; m < 3; m++) {
          for (int i = 0; i < 2; i++) {
            line.append(' ').append(Math.round(found[m * N + i] * 1e6) / 1e6);
          }
        }
        System.out.println(line);
      }
    }
  }
}
