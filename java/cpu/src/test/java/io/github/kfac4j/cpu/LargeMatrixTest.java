package io.github.kfac4j.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.LAPACKE_dpotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_dpotri;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotri;
import static org.bytedeco.openblas.global.openblas.LAPACK_ROW_MAJOR;
import static org.bytedeco.openblas.global.openblas.cblas_dgemm;

import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Inverses that are shared out among threads, beside plain LAPACK in fp32 and fp64. */
class LargeMatrixTest {
  private static final byte LOWER = 'L';

  private final CpuBackend backend = new CpuBackend(2);

  @AfterEach
  void close() {
    backend.close();
  }

  @ParameterizedTest
  @CsvSource({"1024,1e-1", "1024,2e-5", "1025,1e-3", "1025,2e-5", "1300,1e-4"})
  void isAsAccurateAsLapackOnRankDeficientFactors(int n, double damping) {
    double[] factor = factor(n);
    double[] damped = new double[n * n];
    float[] plain = new float[n * n];
    for (int i = 0; i < n * n; i++) {
      damped[i] = 0.75 * factor[i] + (i % (n + 1) == 0 ? damping : 0);
      plain[i] = (float) damped[i];
    }
    LAPACKE_spotrf(LAPACK_ROW_MAJOR, LOWER, n, plain, n);
    LAPACKE_spotri(LAPACK_ROW_MAJOR, LOWER, n, plain, n);
    LAPACKE_dpotrf(LAPACK_ROW_MAJOR, LOWER, n, damped, n);
    LAPACKE_dpotri(LAPACK_ROW_MAJOR, LOWER, n, damped, n);
    try (MatrixStack source = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      source.set(factor);
      assertThat(invert(source, 0.75, damping, inverse)).isEqualTo(Status.OK);
      double[] actual = inverse.toArray();
      double ours = 0;
      double theirs = 0;
      double norm = 0;
      int asymmetric = 0;
      for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
          int at = i * n + j;
          asymmetric += actual[j * n + i] == actual[at] ? 0 : 1;
          ours += Math.pow(actual[at] - damped[at], 2);
          theirs += Math.pow(plain[at] - damped[at], 2);
          norm += damped[at] * damped[at];
        }
      }
      assertThat(asymmetric).isZero();
      // rounding the exact inverse alone takes up to 0.6 u kappa, 1e-6 at the largest damping
      double rounding = 0.6 * Fixtures.U * (1 + 4 * 0.75 / damping);
      assertThat(Math.sqrt(ours / norm))
          .isLessThan(Math.max(3 * Math.sqrt(theirs / norm), Math.min(1e-6, rounding)));
      assertThat(Arrays.equals(source.toArray(), factor)).as("source kept").isTrue();
    }
  }

  /** Of half the rank, its largest eigenvalue about 4, exact in fp32. */
  private static double[] factor(int n) {
    Random random = new Random(n);
    int rank = n / 2;
    double[] x = new double[rank * n];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextGaussian();
    }
    double[] m = new double[n * n];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, rank, 1.0 / n, x, n, x, n, 0, m, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        m[i * n + j] = (float) m[i * n + j];
        m[j * n + i] = m[i * n + j];
      }
    }
    return m;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 300, 700, 1029})
  void namesThePivotAndKeepsTheOldInverse(int pivot) {
    int n = 1030;
    double[] indefinite = new double[n * n];
    for (int i = 0; i < n; i++) {
      indefinite[i * n + i] = i == pivot ? -3 : 1;
    }
    keepsTheOldInverse(n, indefinite, Status.notPositiveDefinite(pivot));
  }

  @Test
  void seesNaNAndOverflow() {
    int n = 1030;
    double[] nan = new double[n * n];
    nan[1029 * n + 1] = Double.NaN;
    nan[1 * n + 1029] = Double.NaN;
    keepsTheOldInverse(n, nan, Status.NOT_FINITE);
    try (MatrixStack source = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      assertThat(invert(source, 1, 0x1p-140, inverse)).isEqualTo(Status.NOT_FINITE);
      assertThat(Arrays.equals(inverse.toArray(), new double[n * n])).as("kept").isTrue();
    }
  }

  private void keepsTheOldInverse(int n, double[] factor, Status expected) {
    try (MatrixStack source = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      source.set(factor);
      double[] old = new double[n * n];
      Arrays.fill(old, 3);
      inverse.set(old);
      assertThat(invert(source, 1, 1, inverse)).isEqualTo(expected);
      assertThat(Arrays.equals(inverse.toArray(), old)).as("kept").isTrue();
    }
  }

  private Status invert(MatrixStack source, double scale, double damping, MatrixStack inverse) {
    InvertRequest request = new InvertRequest(source, scale, new double[] {damping}, inverse);
    return backend.invert(List.of(request)).get(0)[0];
  }
}
