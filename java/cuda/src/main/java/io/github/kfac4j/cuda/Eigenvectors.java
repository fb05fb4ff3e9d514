package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_FILL_MODE_LOWER;
import static org.bytedeco.cuda.global.cusolver.CUSOLVER_EIG_MODE_VECTOR;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSsyevd;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSsyevd_bufferSize;

import io.github.kfac4j.backend.Eigendecomposition;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_ema_request;
import io.github.kfac4j.cuda.natives.kfac_transpose_request;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cusolver.cusolverDnContext;

/** Eigendecompositions by cuSOLVER, one matrix after another. */
final class Eigenvectors {
  private Eigenvectors() {}

  static List<Status[]> run(List<Eigendecomposition> requests, CudaContext context) {
    context.enter();
    List<Status[]> all = new ArrayList<>();
    for (Eigendecomposition request : requests) {
      try (Call call = new Call(context)) {
        all.add(decompose(request, call));
        call.finish();
      }
    }
    return all;
  }

  private static Status[] decompose(Eigendecomposition request, Call call) {
    CudaMatrixStack source = call.stack(request.source());
    CudaMatrixStack vectors = call.stack(request.vectors());
    CudaMatrixStack values = call.stack(request.values());
    int n = source.rows();
    int count = source.count();
    long bytes = (long) n * n * Float.BYTES;
    long work = call.take(count * bytes);
    long found = call.take((long) count * n * Float.BYTES);
    long codes = call.take((long) count * Integer.BYTES);
    copy(request.scale(), source.address(), work, (long) count * n * n, call);
    long[] bad = firstNonFinite(work, n, count, call); // an iteration on a NaN may never end
    Solver solver = new Solver(call, n);
    for (int k = 0; k < count; k++) {
      if (bad[k] < 0) {
        solver.run(
            work + k * bytes, found + (long) k * n * Float.BYTES, codes + (long) k * Integer.BYTES);
      }
    }
    int[] info = call.readInts(codes, count);
    Status[] statuses = new Status[count];
    for (int k = 0; k < count; k++) {
      statuses[k] =
          bad[k] >= 0 ? Status.NOT_FINITE : info[k] == 0 ? Status.OK : Status.NOT_CONVERGED;
      if (statuses[k].ok()) {
        // cuSOLVER's columns are our rows
        transpose(work + k * bytes, vectors.address(k), n, call);
        copy(1, found + (long) k * n * Float.BYTES, values.address(k), n, call);
      }
    }
    return statuses;
  }

  /** cuSOLVER's divide and conquer for matrices of one size. */
  private static final class Solver {
    private final Call call;
    private final cusolverDnContext handle;
    private final int n;
    private final int size;
    private final long workspace;

    Solver(Call call, int n) {
      this.call = call;
      this.handle = call.context().solver();
      this.n = n;
      int[] floats = new int[1];
      call.context()
          .check
          .solver(
              cusolverDnSsyevd_bufferSize(
                  handle,
                  CUSOLVER_EIG_MODE_VECTOR,
                  CUBLAS_FILL_MODE_LOWER,
                  n,
                  (float[]) null,
                  n,
                  (float[]) null,
                  floats),
              "cusolverDnSsyevd_bufferSize",
              n + " x " + n);
      this.size = floats[0];
      this.workspace = call.take((long) size * Float.BYTES);
    }

    void run(long matrix, long values, long info) {
      call.context()
          .check
          .solver(
              cusolverDnSsyevd(
                  handle,
                  CUSOLVER_EIG_MODE_VECTOR,
                  CUBLAS_FILL_MODE_LOWER,
                  n,
                  Address.floats(matrix),
                  n,
                  Address.floats(values),
                  Address.floats(workspace),
                  size,
                  Address.ints(info)),
              "cusolverDnSsyevd",
              n + " x " + n);
    }
  }

  /** {@code to = alpha from}. */
  private static void copy(double alpha, long from, long to, long size, Call call) {
    try (kfac_ema_request request = new kfac_ema_request()) {
      request.x(Address.floats(from)).y(Address.floats(to)).size(size).alpha((float) alpha).beta(0);
      call.kernels(
          "kfac_ema",
          size + " elements",
          () -> kfac_cuda.kfac_ema_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_ema(request, 1, workspace, bytes, call.context().stream()));
    }
  }

  private static void transpose(long from, long to, int n, Call call) {
    try (kfac_transpose_request request = new kfac_transpose_request()) {
      request.in(Address.floats(from)).out(Address.floats(to)).rows(n).columns(n).count(1);
      call.kernels(
          "kfac_transpose",
          n + " x " + n,
          () -> kfac_cuda.kfac_transpose_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_transpose(request, 1, workspace, bytes, call.context().stream()));
    }
  }

  private static long[] firstNonFinite(long matrices, int n, int count, Call call) {
    long size = (long) n * n;
    List<FiniteScan.Range> ranges = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      ranges.add(
          new FiniteScan.Range(matrices + k * size * Float.BYTES, size, DeviceTensor.Type.F32));
    }
    return FiniteScan.run(ranges, call);
  }
}
