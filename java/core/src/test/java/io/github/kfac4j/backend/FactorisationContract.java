package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.covariance;
import static io.github.kfac4j.testkit.Fixtures.damped;
import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damped inverses and eigendecompositions. */
abstract class FactorisationContract extends MomentContract {
  @ParameterizedTest
  @CsvSource({
    "1,1e-1",
    "2,1e-3",
    "13,1e-1",
    "13,1e-4",
    "64,1e-2",
    "64,1e-5",
    "207,1e-1",
    "207,1e-3",
    "207,2e-5",
    "300,1e-3"
  })
  void invertsRankDeficientFactorsAsWellAsItsPrecisionAllows(int n, double damping) {
    int count = 3;
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      double[] one = covariance(random, n, Math.max(1, n / 2));
      System.arraycopy(one, 0, factors, k * n * n, n * n);
    }
    double[] dampings = {damping, 2 * damping, 3 * damping};
    MatrixStack source = filled(count, n, n, factors);
    MatrixStack inverse = zeros(count, n, n);
    Status[] status =
        backend.invert(List.of(new InvertRequest(source, 0.5, dampings, inverse))).get(0);
    assertThat(status).containsOnly(Status.OK);
    assertThat(source.toArray()).as("damping is not added in place").containsExactly(factors);
    for (int k = 0; k < count; k++) {
      double[] one = Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n);
      double[] exact = Literal.inverse(damped(one, n, 0.5, dampings[k]), n);
      double[] actual = Arrays.copyOfRange(inverse.toArray(), k * n * n, (k + 1) * n * n);
      double[] plain = Literal.inverseInFloat(damped(one, n, 0.5, dampings[k]), n);
      double allowed =
          inverse.isDouble() ? 1e-9 : Math.max(3 * Fixtures.frobeniusError(plain, exact), 1e-6);
      assertThat(Fixtures.frobeniusError(actual, exact)).isLessThan(allowed);
      assertThat(Literal.transpose(actual, n, n)).as("symmetric").containsExactly(actual);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 13, 64, 207})
  void aFailedInversionIsReportedAndLeavesTheOldValue(int n) {
    double[] good = damped(new double[n * n], n, 0, 2);
    double[] indefinite = good.clone();
    int pivot = n / 2;
    indefinite[pivot * (n + 1)] = -5;
    double[] nan = good.clone();
    nan[n - 1] = Double.NaN;
    nan[(n - 1) * n] = Double.NaN;
    double[] infinite = good.clone();
    infinite[0] = Double.POSITIVE_INFINITY;
    double[] factors = new double[4 * n * n];
    int k = 0;
    for (double[] one : List.of(indefinite, good, nan, infinite)) {
      System.arraycopy(one, 0, factors, k++ * n * n, n * n);
    }
    double[] old = gaussian(random, factors.length);
    MatrixStack inverse = filled(4, n, n, old);
    InvertRequest request =
        new InvertRequest(filled(4, n, n, factors), 1, new double[] {1, 1, 1, 1}, inverse);
    Status[] status = backend.invert(List.of(request)).get(0);
    assertThat(status)
        .containsExactly(
            Status.notPositiveDefinite(pivot), Status.OK, Status.NOT_FINITE, Status.NOT_FINITE);
    double[] after = inverse.toArray();
    assertThat(after[n * n]).isCloseTo(1 / 3.0, offset(1e-6));
    System.arraycopy(old, n * n, after, n * n, n * n);
    assertThat(after).containsExactly(old);
  }

  @Test
  void aThousandSmallInversesInOneCall() {
    int n = 16;
    int count = 1000;
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      System.arraycopy(covariance(random, n, 8), 0, factors, k * n * n, n * n);
    }
    double[] damping = new double[count];
    Arrays.fill(damping, 0.1);
    MatrixStack inverse = zeros(count, n, n);
    Status[] status =
        backend
            .invert(List.of(new InvertRequest(filled(count, n, n, factors), 1, damping, inverse)))
            .get(0);
    assertThat(status).containsOnly(Status.OK);
    double[] all = inverse.toArray();
    double worst = 0;
    double plain = 0; // of unblocked Cholesky in fp32 on the same matrices
    for (int k = 0; k < count; k += 37) {
      double[] one = Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n);
      double[] matrix = damped(one, n, 1, 0.1);
      double[] identity = damped(new double[n * n], n, 0, 1);
      double[] actual = Arrays.copyOfRange(all, k * n * n, (k + 1) * n * n);
      double[] inFloat = Literal.inverseInFloat(matrix, n);
      plain = Math.max(plain, error(Literal.multiply(matrix, inFloat, n, n, n), identity));
      worst = Math.max(worst, error(Literal.multiply(matrix, actual, n, n, n), identity));
    }
    assertThat(worst).isLessThan(inverse.isDouble() ? 1e-12 : 3 * plain);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 13, 64, 207})
  void eigendecompositionsReconstructTheirMatrix(int n) {
    double[] factors = new double[2 * n * n];
    System.arraycopy(covariance(random, n, n + 3), 0, factors, 0, n * n);
    System.arraycopy(covariance(random, n, Math.max(1, n / 3)), 0, factors, n * n, n * n);
    MatrixStack vectors = zeros(2, n, n);
    MatrixStack values = zeros(2, 1, n);
    MatrixStack source = filled(2, n, n, factors);
    Status[] status =
        backend.decompose(List.of(new DecomposeRequest(source, 2, vectors, values))).get(0);
    assertThat(status).containsOnly(Status.OK);
    assertThat(source.toArray()).containsExactly(factors);
    double allowed = vectors.isDouble() ? 1e-12 * n : 2e-6 * Math.sqrt(n) + 2e-6;
    for (int k = 0; k < 2; k++) {
      double[] q = Arrays.copyOfRange(vectors.toArray(), k * n * n, (k + 1) * n * n);
      double[] d = Arrays.copyOfRange(values.toArray(), k * n, (k + 1) * n);
      assertThat(d).isSorted();
      double[] qt = Literal.transpose(q, n, n);
      double[] qd = q.clone();
      for (int i = 0; i < n * n; i++) {
        qd[i] *= d[i % n];
      }
      double[] twice = damped(Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n), n, 2, 0);
      assertThat(error(Literal.multiply(qd, qt, n, n, n), twice)).isLessThan(allowed);
      double[] identity = damped(new double[n * n], n, 0, 1);
      assertThat(error(Literal.multiply(qt, q, n, n, n), identity)).isLessThan(allowed);
    }
  }

  @Test
  void aDecompositionOfNaNIsReported() {
    double[] old = gaussian(random, 9);
    MatrixStack vectors = filled(1, 3, 3, old);
    double[] nan = new double[9];
    nan[4] = Double.NaN;
    DecomposeRequest request =
        new DecomposeRequest(filled(1, 3, 3, nan), 1, vectors, zeros(1, 1, 3));
    assertThat(backend.decompose(List.of(request)).get(0)).containsExactly(Status.NOT_FINITE);
    assertThat(vectors.toArray()).containsExactly(old);
  }
}
