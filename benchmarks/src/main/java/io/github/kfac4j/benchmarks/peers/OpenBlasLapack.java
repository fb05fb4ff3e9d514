package io.github.kfac4j.benchmarks.peers;

import static org.bytedeco.openblas.global.openblas.*;

import org.bytedeco.javacpp.FloatPointer;

/** OpenBLAS, the copy that the CPU backend uses. */
final class OpenBlasLapack implements Lapack {
  /** LAPACK is column-major: its upper triangle is the lower one of a row-major matrix. */
  private static final byte UPPER = 'U';

  @Override
  public String name() {
    return "openblas";
  }

  @Override
  public String version() {
    return Artifact.version("org.bytedeco", "openblas");
  }

  @Override
  public void setThreads(int threads) {
    blas_set_num_threads(threads);
  }

  @Override
  public long settleMillis() {
    return 100; // 2^26 cycles, and some
  }

  @Override
  public void syrk(int n, int k, float alpha, FloatPointer x, float beta, FloatPointer c) {
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, n, k, alpha, x, n, beta, c, n);
  }

  @Override
  public void gemm(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
  }

  @Override
  public int invert(int n, FloatPointer a) {
    int info = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, UPPER, n, a, n);
    return info == 0 ? LAPACKE_spotri_work(LAPACK_COL_MAJOR, UPPER, n, a, n) : info;
  }
}
