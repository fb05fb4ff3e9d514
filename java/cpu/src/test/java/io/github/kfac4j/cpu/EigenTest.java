package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Eigendecompositions of matrices of low rank, and what happens when an algorithm fails. */
class EigenTest {
  private static final double U = 0x1p-24;
  private static final Eigen.Solver FAILS = (n, matrix, values, scratch) -> 3;

  /**
   * With a matrix rounded to fp32 its null space is known to a rounding of the norm, in fp32 not.
   */
  @ParameterizedTest
  @ValueSource(ints = {72, 128, 299, 600})
  void aNullSpaceHasEigenvaluesBelowOneRoundingOfTheNorm(int n) {
    try (Request r = new Request(new CpuBackend(1), n, rankOne(n), 1.0 / 3)) {
      assertThat(r.backend.decompose(List.of(r.request)).get(0)).containsExactly(Status.OK);
      double[] values = r.values.toArray();
      for (int i = 0; i < n - 1; i++) {
        assertThat(Math.abs(values[i])).as("value %d", i).isLessThan(U * values[n - 1]);
      }
    }
  }

  @Test
  void vectorsHave46BitsInPairsAndAllThatFp32Has() {
    int n = 150;
    double[] matrix = rankOne(n);
    try (Request r = new Request(new CpuBackend(1), n, matrix, 1)) {
      r.backend.decompose(List.of(r.request));
      requireResidual(r, 10 * n * 0x1p-52 + 0x1p-46);
    }
    try (Backend backend = new CpuBackend(1);
        MatrixStack source = backend.allocate(1, n, n);
        MatrixStack vectors = backend.allocate(1, n, n);
        MatrixStack values = backend.allocate(1, 1, n)) {
      source.set(matrix);
      backend.decompose(List.of(new DecomposeRequest(source, 1, vectors, values)));
      double[] q = vectors.toArray();
      double[] w = values.toArray();
      assertThat(residual(source.toArray(), q, w)).isLessThan(3 * U * w[n - 1]);
    }
  }

  @Test
  void anotherAlgorithmTakesOverWhereTheFirstFails() {
    int n = 90;
    try (Request r = new Request(new CpuBackend(1), n, rankOne(n), 1);
        Arena scratch = new Arena()) {
      List<Eigen.Solver> solvers = List.of(FAILS, DoubleBlas::syevr);
      assertThat(Eigen.decompose(r.request, 0, solvers, scratch)).isEqualTo(Status.OK);
      requireResidual(r, 1e-3 * U); // less orthogonal by design, and still far more than fp32
    }
  }

  @Test
  void ifAllFailTheOldBasisStays() {
    try (Request r = new Request(new CpuBackend(1), 3, rankOne(3), 1);
        Arena scratch = new Arena()) {
      r.vectors.set(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
      r.values.set(new double[] {1, 2, 3});
      Status status = Eigen.decompose(r.request, 0, List.of(FAILS, FAILS), scratch);
      assertThat(status).isEqualTo(Status.NOT_CONVERGED);
      assertThat(r.vectors.toArray()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
      assertThat(r.values.toArray()).containsExactly(1, 2, 3);
    }
  }

  @Test
  void eigenvaluesBeyondFp32AreNoResult() {
    try (Request r = new Request(new CpuBackend(1), 2, new double[] {3e38, 0, 0, 3e38}, 2)) {
      assertThat(r.backend.decompose(List.of(r.request)).get(0)).containsExactly(Status.NOT_FINITE);
    }
  }

  /** What a checkpoint relies on. */
  @Test
  void aStackOfPairsKeepsItsElementsWhenItIsCopied() {
    double tie = 1 + 0x1p-24 - 0x1p-50;
    double[] elements = {Math.PI, -1e-30 / 3, tie, -tie, 0, 1e38, 1e-45, 1 + 0x1p-24};
    try (Backend backend = new CpuBackend(1)) {
      CpuMatrixStack one = CpuMatrixStack.of(backend.allocateBasis(2, 2, 2));
      CpuMatrixStack other = CpuMatrixStack.of(backend.allocateBasis(2, 2, 2));
      one.set(elements);
      other.set(one.toArray());
      for (int i = 0; i < elements.length; i++) {
        assertThat(one.toArray()[i]).isEqualTo(other.toArray()[i]);
        assertThat(one.matrix(0).get(i)).isEqualTo(other.matrix(0).get(i));
        double bound = 0x1p-47 * Math.abs(elements[i]) + 0x1p-149; // or the least of fp32
        assertThat(one.toArray()[i] - elements[i]).isBetween(-bound, bound);
      }
      one.close();
      other.close();
    }
  }

  private static double[] rankOne(int n) {
    double[] x = gaussian(new Random(n), n);
    double[] matrix = new double[n * n];
    for (int i = 0; i < n * n; i++) {
      matrix[i] = x[i / n] * x[i % n];
    }
    return matrix;
  }

  private static void requireResidual(Request r, double bound) {
    double[] q = r.vectors.toArray();
    double[] w = r.values.toArray();
    int n = w.length;
    double[] a = r.source.toArray();
    assertThat(residual(a, q, w)).isLessThan(bound * w[n - 1]);
    double[] ones = new double[n];
    double[] identity = new double[n * n];
    for (int i = 0; i < n; i++) {
      ones[i] = 1;
      identity[i * n + i] = 1;
    }
    assertThat(residual(identity, q, ones)).isLessThan(bound);
  }

  /** The Frobenius norm of {@code Q diag(w) Q' - A}. */
  private static double residual(double[] a, double[] q, double[] w) {
    int n = w.length;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = -a[i * n + j];
        for (int k = 0; k < n; k++) {
          sum += q[i * n + k] * w[k] * q[j * n + k];
        }
        squares += sum * sum;
      }
    }
    return Math.sqrt(squares);
  }

  private static final class Request implements AutoCloseable {
    private final Backend backend;
    private final MatrixStack source;
    private final MatrixStack vectors;
    private final MatrixStack values;
    private final DecomposeRequest request;

    Request(Backend backend, int n, double[] matrix, double scale) {
      this.backend = backend;
      this.source = backend.allocate(1, n, n);
      this.vectors = backend.allocateBasis(1, n, n);
      this.values = backend.allocateBasis(1, 1, n);
      source.set(matrix);
      this.request = new DecomposeRequest(source, scale, vectors, values);
    }

    @Override
    public void close() {
      source.close();
      vectors.close();
      values.close();
      backend.close();
    }
  }
}
