package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Jacobi;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Eigendecompositions against those of the stored matrix in fp64. Where fp32 is stored, eigenvalues
 * are right to their own rounding and that of fp64 arithmetic: eigenvalues of a null space come out
 * as zero next to the largest one. Decompositions in fp32 miss that by a factor of thousands.
 */
abstract class DecompositionContract {
  private static final double U = 0x1p-24;
  private static final double EPS = Math.ulp(1.0);

  /** Opens the backend under test. */
  protected abstract Backend open();

  static Stream<Arguments> batches() {
    return Stream.of(Inputs.values())
        .flatMap(inputs -> IntStream.of(1, 2, 3, 8, 32).mapToObj(n -> Arguments.of(inputs, n)));
  }

  @ParameterizedTest
  @MethodSource("batches")
  void aRankDeficientFactorIsDecomposedToItsRounding(Inputs inputs, int examples) {
    decompose(RankDeficientBatch.of(inputs, examples, 73).factorA(), 73);
  }

  @ParameterizedTest
  @CsvSource({"GAUSSIAN, 1, 13", "RELU, 40, 72", "CONSTANT, 2, 160", "GAUSSIAN, 200, 160"})
  void aFactorOfAnyRankIsDecomposedToItsRounding(Inputs inputs, int examples, int n) {
    decompose(RankDeficientBatch.of(inputs, examples, n).factorA(), n);
  }

  private void decompose(double[] factor, int n) {
    try (Backend backend = open();
        MatrixStack source = Fixtures.stack(backend, 1, n, n, factor);
        MatrixStack vectors = backend.allocate(1, n, n);
        MatrixStack values = backend.allocate(1, 1, n)) {
      DecomposeRequest request = new DecomposeRequest(source, 1, vectors, values);
      assertThat(backend.decompose(List.of(request)).get(0)).containsOnly(Status.OK);
      double[] a = source.toArray();
      double[] q = vectors.toArray();
      double[] w = values.toArray();
      double[] expected = Arrays.stream(Jacobi.of(a, n).values()).sorted().toArray();
      double norm = Math.max(-expected[0], expected[n - 1]);
      double rounding = source.isDouble() ? 0 : U;
      double arithmetic = source.isDouble() ? 10 * n * EPS : 0.5 * n * EPS;
      assertThat(w).isSorted();
      for (int k = 0; k < n; k++) {
        assertThat(Math.abs(w[k] - expected[k]))
            .as("eigenvalue %d of %d: %s, right %s", k, n, w[k], expected[k])
            .isLessThanOrEqualTo(rounding * Math.abs(expected[k]) + arithmetic * norm);
      }
      double allowed = source.isDouble() ? 10 * n * EPS : 3 * U;
      double[] scaled = q.clone();
      Arrays.setAll(scaled, i -> q[i] * w[i % n]);
      double[] transposed = Literal.transpose(q, n, n);
      double[] residual = Literal.multiply(scaled, transposed, n, n, n);
      Arrays.setAll(residual, i -> residual[i] - a[i]);
      double[] gram = Literal.multiply(transposed, q, n, n, n);
      assertThat(norm(residual, n)).as("Q diag(w) Q' - A").isLessThan(allowed * norm);
      assertThat(norm(Fixtures.damped(gram, n, 1, -1), n)).as("Q'Q - I").isLessThan(allowed);
    }
  }

  /** The spectral norm of a symmetric matrix, by power iteration. */
  private static double norm(double[] m, int n) {
    double[] v = Fixtures.gaussian(new Random(1), n);
    double norm = 0;
    for (int i = 0; i < 60; i++) {
      double length = Math.sqrt(Arrays.stream(v).map(x -> x * x).sum());
      if (length == 0) {
        return 0;
      }
      double[] unit = Arrays.stream(v).map(x -> x / length).toArray();
      v = Literal.multiply(m, unit, n, n, 1);
      norm = Math.sqrt(Arrays.stream(v).map(x -> x * x).sum());
    }
    return norm;
  }
}
