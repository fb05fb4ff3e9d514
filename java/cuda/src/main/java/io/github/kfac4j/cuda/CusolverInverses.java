package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_FILL_MODE_UPPER;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotrf;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotrf_bufferSize;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotri;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotri_bufferSize;

import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_damp_request;
import io.github.kfac4j.cuda.natives.kfac_mirror_request;
import org.bytedeco.cuda.cusolver.cusolverDnContext;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * Damped inverses of a stack by cuSOLVER's potrf and potri, one matrix after another on the
 * backend's stream: for sizes at which one matrix fills the GPU.
 */
final class CusolverInverses {
  private final Call call;
  private final cusolverDnContext handle;
  private final CudaMatrixStack source;
  private final CudaMatrixStack inverse;
  private final int n;
  private final int count;

  private CusolverInverses(Inversion inversion, Call call) {
    this.call = call;
    this.handle = call.context().solver();
    this.source = call.stack(inversion.source());
    this.inverse = call.stack(inversion.inverse());
    this.n = source.rows();
    this.count = source.count();
  }

  /**
   * Enqueues all of it.
   *
   * @param dampings one fp32 number a matrix, on the device
   * @param statuses receives a kfac_matrix_status a matrix, on the device
   */
  static void run(Inversion inversion, long dampings, long statuses, Call call) {
    new CusolverInverses(inversion, call).run(inversion.scale(), dampings, statuses);
  }

  private void run(double scale, long dampings, long statuses) {
    long bytes = (long) n * n * Float.BYTES;
    long work = call.take(count * bytes);
    long pivots = call.take((long) count * Integer.BYTES);
    long ignored = call.take(Integer.BYTES);
    damp(scale, dampings, statuses, work);
    int size = workspace(work);
    FloatPointer workspace = Address.floats(call.take((long) size * Float.BYTES));
    for (int k = 0; k < count; k++) {
      // Upper for cuSOLVER, which thinks in columns. A matrix that has no inverse leaves what
      // nobody reads.
      FloatPointer matrix = Address.floats(work + k * bytes);
      check(
          cusolverDnSpotrf(
              handle,
              CUBLAS_FILL_MODE_UPPER,
              n,
              matrix,
              n,
              workspace,
              size,
              Address.ints(pivots + (long) k * Integer.BYTES)),
          "cusolverDnSpotrf");
      check(
          cusolverDnSpotri(
              handle, CUBLAS_FILL_MODE_UPPER, n, matrix, n, workspace, size, Address.ints(ignored)),
          "cusolverDnSpotri");
    }
    mirror(work, pivots, statuses);
  }

  private int workspace(long work) {
    FloatPointer matrix = Address.floats(work);
    try (IntPointer factor = new IntPointer(1);
        IntPointer product = new IntPointer(1)) {
      check(
          cusolverDnSpotrf_bufferSize(handle, CUBLAS_FILL_MODE_UPPER, n, matrix, n, factor),
          "cusolverDnSpotrf_bufferSize");
      check(
          cusolverDnSpotri_bufferSize(handle, CUBLAS_FILL_MODE_UPPER, n, matrix, n, product),
          "cusolverDnSpotri_bufferSize");
      return Math.max(factor.get(), product.get());
    }
  }

  private void check(int code, String function) {
    call.context().check.solver(code, function, n + " x " + n);
  }

  private void damp(double scale, long dampings, long statuses, long damped) {
    try (kfac_damp_request request = new kfac_damp_request()) {
      request
          .matrix(source.pointer())
          .damped(Address.pointer(damped))
          .status(Address.ints(statuses))
          .dampings(Address.floats(dampings))
          .scale(scale)
          .damping(0)
          .n(n)
          .count(count)
          .dtype(kfac_cuda.KFAC_F32);
      call.kernels(
          "kfac_damp",
          source.shape(),
          () -> kfac_cuda.kfac_damp_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_damp(request, 1, workspace, bytes, call.context().stream()));
    }
  }

  private void mirror(long lower, long pivots, long statuses) {
    try (kfac_mirror_request request = new kfac_mirror_request()) {
      request
          .lower(Address.pointer(lower))
          .inverse(inverse.pointer())
          .status(Address.ints(statuses))
          .pivots(Address.ints(pivots))
          .n(n)
          .count(count)
          .dtype(kfac_cuda.KFAC_F32);
      call.kernels(
          "kfac_mirror",
          inverse.shape(),
          () -> kfac_cuda.kfac_mirror_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_mirror(request, 1, workspace, bytes, call.context().stream()));
    }
  }
}
