package io.github.kfac4j.benchmarks.peers;

import static org.bytedeco.mkl.global.mkl_rt.*;

import org.bytedeco.javacpp.FloatPointer;

/** Intel MKL. */
final class MklLapack implements Lapack {
  /** LAPACK is column-major: its upper triangle is the lower one of a row-major matrix. */
  private static final byte UPPER = 'U';

  @Override
  public String name() {
    return "mkl";
  }

  @Override
  public String version() {
    return Artifact.version("org.bytedeco", "mkl");
  }

  @Override
  public void setThreads(int threads) {
    MKL_Set_Num_Threads(threads);
  }

  @Override
  public long settleMillis() {
    return 250; // the 200 ms of KMP_BLOCKTIME, and some
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
