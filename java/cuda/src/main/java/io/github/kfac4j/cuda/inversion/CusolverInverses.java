package io.github.kfac4j.cuda.inversion;

import static org.bytedeco.cuda.global.cublas.CUBLAS_FILL_MODE_UPPER;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDpotrf;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDpotrf_bufferSize;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDpotri;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDpotri_bufferSize;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotrf;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotrf_bufferSize;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotri;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSpotri_bufferSize;

import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import org.bytedeco.cuda.cusolver.cusolverDnContext;
import org.bytedeco.javacpp.IntPointer;

/**
 * Damped inverses by cuSOLVER's potrf and potri, one matrix after another on the backend's stream:
 * for sizes at which one matrix fills the GPU, and in fp64 where fp32 is not enough.
 */
final class CusolverInverses {
  private final Call call;
  private final cusolverDnContext handle;
  private final InverseJob job;
  private final boolean wide;
  private final int n;

  private CusolverInverses(InverseJob job, boolean wide, Call call) {
    this.call = call;
    this.handle = call.context().solver();
    this.job = job;
    this.wide = wide;
    this.n = job.n();
  }

  /**
   * Enqueues all of it.
   *
   * @param wide in fp64, rounded once
   */
  static void run(InverseJob job, boolean wide, Call call) {
    new CusolverInverses(job, wide, call).run();
  }

  private void run() {
    long bytes = (long) n * n * (wide ? Double.BYTES : Float.BYTES);
    long work = call.take(job.count() * bytes);
    long pivots = call.take((long) job.count() * Integer.BYTES);
    long ignored = call.take(Integer.BYTES);
    damp(work);
    int size = workspace(work);
    long workspace = call.take((long) size * (wide ? Double.BYTES : Float.BYTES));
    for (int k = 0; k < job.count(); k++) {
      // Upper for cuSOLVER, which is column-major. A matrix that has no inverse leaves what
      // nobody reads.
      long matrix = work + k * bytes;
      check(factor(matrix, workspace, size, pivots + (long) k * Integer.BYTES), "potrf");
      check(invert(matrix, workspace, size, ignored), "potri");
    }
    job.mirror(work, dtype(), job.result(), pivots, call);
  }

  private int dtype() {
    return wide ? kfac_cuda.KFAC_F64 : kfac_cuda.KFAC_F32;
  }

  private int factor(long at, long workspace, int size, long info) {
    return wide
        ? cusolverDnDpotrf(
            handle,
            CUBLAS_FILL_MODE_UPPER,
            n,
            Address.doubles(at),
            n,
            Address.doubles(workspace),
            size,
            Address.ints(info))
        : cusolverDnSpotrf(
            handle,
            CUBLAS_FILL_MODE_UPPER,
            n,
            Address.floats(at),
            n,
            Address.floats(workspace),
            size,
            Address.ints(info));
  }

  private int invert(long at, long workspace, int size, long info) {
    return wide
        ? cusolverDnDpotri(
            handle,
            CUBLAS_FILL_MODE_UPPER,
            n,
            Address.doubles(at),
            n,
            Address.doubles(workspace),
            size,
            Address.ints(info))
        : cusolverDnSpotri(
            handle,
            CUBLAS_FILL_MODE_UPPER,
            n,
            Address.floats(at),
            n,
            Address.floats(workspace),
            size,
            Address.ints(info));
  }

  private int workspace(long at) {
    int upper = CUBLAS_FILL_MODE_UPPER;
    try (IntPointer factor = new IntPointer(1);
        IntPointer product = new IntPointer(1)) {
      check(
          wide
              ? cusolverDnDpotrf_bufferSize(handle, upper, n, Address.doubles(at), n, factor)
              : cusolverDnSpotrf_bufferSize(handle, upper, n, Address.floats(at), n, factor),
          "potrf_bufferSize");
      check(
          wide
              ? cusolverDnDpotri_bufferSize(handle, upper, n, Address.doubles(at), n, product)
              : cusolverDnSpotri_bufferSize(handle, upper, n, Address.floats(at), n, product),
          "potri_bufferSize");
      return Math.max(factor.get(), product.get());
    }
  }

  private void check(int code, String function) {
    String name = "cusolverDn" + (wide ? "D" : "S") + function;
    call.context().check().solver(code, name, n + " x " + n);
  }

  private void damp(long damped) {
    call.run(
        Verb.DAMP,
        job.shape(),
        1,
        (request, i) ->
            request
                .matrix(Address.floats(job.source()))
                .damped(Address.pointer(damped))
                .status(Address.ints(job.statuses()))
                .dampings(Address.floats(job.dampings()))
                .scale(job.scale())
                .damping(0)
                .n(n)
                .count(job.count())
                .dtype(dtype()));
  }
}
