package io.github.kfac4j.cuda.eigen;

import static org.bytedeco.cuda.global.cublas.CUBLAS_FILL_MODE_LOWER;
import static org.bytedeco.cuda.global.cusolver.CUSOLVER_EIG_MODE_VECTOR;
import static org.bytedeco.cuda.global.cusolver.cusolverDnCreateSyevjInfo;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDestroySyevjInfo;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDsyevd;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDsyevd_bufferSize;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDsyevj;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDsyevj_bufferSize;

import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.context.Address;
import org.bytedeco.cuda.cusolver.cusolverDnContext;
import org.bytedeco.cuda.cusolver.syevjInfo;

/** One of cuSOLVER's algorithms for fp64 matrices of one size. */
final class EigenSolver implements AutoCloseable {
  private final Call call;
  private final cusolverDnContext handle;
  private final int n;
  private final int size;
  private final long workspace;

  /** Null for divide and conquer. */
  private final syevjInfo jacobi;

  private EigenSolver(Call call, int n, syevjInfo jacobi) {
    this.call = call;
    this.handle = call.context().solver();
    this.n = n;
    this.jacobi = jacobi;
    int[] doubles = new int[1];
    double[] none = null;
    if (jacobi == null) {
      int code =
          cusolverDnDsyevd_bufferSize(
              handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, n, none, n, none, doubles);
      check(code, "cusolverDnDsyevd_bufferSize");
    } else {
      int code =
          cusolverDnDsyevj_bufferSize(
              handle,
              CUSOLVER_EIG_MODE_VECTOR,
              CUBLAS_FILL_MODE_LOWER,
              n,
              none,
              n,
              none,
              doubles,
              jacobi);
      check(code, "cusolverDnDsyevj_bufferSize");
    }
    this.size = doubles[0];
    this.workspace = call.take((long) size * Double.BYTES);
  }

  static EigenSolver divideAndConquer(Call call, int n) {
    return new EigenSolver(call, n, null);
  }

  /** With cuSOLVER's defaults: a tolerance of machine precision. */
  static EigenSolver jacobi(Call call, int n) {
    syevjInfo info = new syevjInfo();
    call.context()
        .check()
        .solver(cusolverDnCreateSyevjInfo(info), "cusolverDnCreateSyevjInfo", n + " x " + n);
    return new EigenSolver(call, n, info);
  }

  /**
   * Enqueues a decomposition.
   *
   * @param matrix in its place come the eigenvectors, one after another
   * @param values ascending
   * @param info one integer on the device, 0 if cuSOLVER found them
   */
  void run(long matrix, long values, long info) {
    if (jacobi == null) {
      int code =
          cusolverDnDsyevd(
              handle,
              CUSOLVER_EIG_MODE_VECTOR,
              CUBLAS_FILL_MODE_LOWER,
              n,
              Address.doubles(matrix),
              n,
              Address.doubles(values),
              Address.doubles(workspace),
              size,
              Address.ints(info));
      check(code, "cusolverDnDsyevd");
    } else {
      int code =
          cusolverDnDsyevj(
              handle,
              CUSOLVER_EIG_MODE_VECTOR,
              CUBLAS_FILL_MODE_LOWER,
              n,
              Address.doubles(matrix),
              n,
              Address.doubles(values),
              Address.doubles(workspace),
              size,
              Address.ints(info),
              jacobi);
      check(code, "cusolverDnDsyevj");
    }
  }

  private void check(int code, String function) {
    call.context().check().solver(code, function, n + " x " + n);
  }

  @Override
  public void close() {
    if (jacobi != null) {
      cusolverDnDestroySyevjInfo(jacobi);
    }
  }
}
