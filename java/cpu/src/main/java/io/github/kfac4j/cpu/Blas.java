package io.github.kfac4j.cpu;

import static org.bytedeco.openblas.global.openblas.*;

import org.bytedeco.javacpp.IntPointer;

/** The few BLAS and LAPACK routines in use, for row-major matrices. */
final class Blas {
  private Blas() {}

  /** {@code C = alpha op(A) op(B) + beta C}; op(A) is m x k, op(B) is k x n. */
  static void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      Floats a,
      int lda,
      Floats b,
      int ldb,
      float beta,
      Floats c,
      int ldc) {
    cblas_sgemm(
        CblasRowMajor,
        transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans,
        m,
        n,
        k,
        alpha,
        a.pointer(),
        lda,
        b.pointer(),
        ldb,
        beta,
        c.pointer(),
        ldc);
  }

  /** Lower triangle of {@code C = alpha op(A) op(A)' + beta C}; op(A) is n x k. */
  static void syrk(
      boolean transpose,
      int n,
      int k,
      float alpha,
      Floats a,
      int lda,
      float beta,
      Floats c,
      int ldc) {
    cblas_ssyrk(
        CblasRowMajor,
        CblasLower,
        transpose ? CblasTrans : CblasNoTrans,
        n,
        k,
        alpha,
        a.pointer(),
        lda,
        beta,
        c.pointer(),
        ldc);
  }

  /** {@code y += alpha x}. */
  static void axpy(int n, float alpha, Floats x, Floats y) {
    cblas_saxpy(n, alpha, x.pointer(), 1, y.pointer(), 1);
  }

  /** {@code x = alpha x}. */
  static void scale(int n, float alpha, Floats x) {
    cblas_sscal(n, alpha, x.pointer(), 1);
  }

  /** The sum of absolute values: not finite if one of them is not, or if it overflows. */
  static float absoluteSum(int n, Floats x) {
    return cblas_sasum(n, x.pointer(), 1);
  }

  /** The inner product, summed in fp64. */
  static double dot(int n, Floats x, Floats y) {
    return KfacCpuLibrary.isAvailable()
        ? KfacCpu.kfac_cpu_dot(n, x.address(), y.address())
        : cblas_dsdot(n, x.pointer(), 1, y.pointer(), 1);
  }

  // LAPACK is column-major: what it calls the upper triangle is the lower of a row-major matrix.

  /** Cholesky factor in the lower triangle; 0, or the 1-based pivot that is not positive. */
  static int potrf(int n, Floats a, int lda) {
    return checked("spotrf", LAPACKE_spotrf_work(LAPACK_COL_MAJOR, UPPER, n, a.pointer(), lda));
  }

  /** The lower triangle of the inverse from a Cholesky factor; 0, or a zero pivot, 1-based. */
  static int potri(int n, Floats a, int lda) {
    return checked("spotri", LAPACKE_spotri_work(LAPACK_COL_MAJOR, UPPER, n, a.pointer(), lda));
  }

  /** Elements of the workspace of {@link #syevd}. */
  static long syevdWork(long n) {
    return 1 + 6 * n + 2 * n * n;
  }

  /**
   * Eigenvalues, ascending, and eigenvectors as rows, in place of a symmetric matrix; 0, or a
   * positive number if the iteration failed.
   */
  static int syevd(int n, Floats a, Floats values, Floats work) {
    int integers = 3 + 5 * n;
    try (IntPointer iwork = new IntPointer(integers)) {
      return checked(
          "ssyevd",
          LAPACKE_ssyevd_work(
              LAPACK_COL_MAJOR,
              (byte) 'V',
              UPPER,
              n,
              a.pointer(),
              n,
              values.pointer(),
              work.pointer(),
              Math.toIntExact(syevdWork(n)),
              iwork,
              integers));
    }
  }

  private static final byte UPPER = 'U';

  private static int checked(String routine, int info) {
    if (info < 0) {
      throw new IllegalStateException(routine + ": argument " + -info + " is invalid");
    }
    return info;
  }
}
