package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToDevice;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.Gemm.Matrices;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_damp_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_check_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_store_request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Eigendecompositions by cuSOLVER in fp64, one matrix after another: by divide and conquer, and
 * where that fails by Jacobi rotations. Each result is multiplied with its matrix before it is
 * believed.
 */
final class Eigenvectors {
  private final Call call;
  private final DecomposeRequest request;
  private final CudaMatrixStack source;
  private final CudaMatrixStack values;
  private final int n;
  private final int count;
  private final long bytes;
  private final long matrices;
  private final long vectors;
  private final long products;
  private final long found;
  private final long infos;
  private final long statuses;

  private Eigenvectors(DecomposeRequest request, Call call) {
    this.call = call;
    this.request = request;
    this.source = call.stack(request.source());
    this.values = call.stack(request.values());
    this.n = source.rows();
    this.count = source.count();
    this.bytes = (long) n * n * Double.BYTES;
    this.matrices = call.take(count * bytes);
    this.vectors = call.take(count * bytes);
    this.products = call.take(count * bytes);
    this.found = call.take((long) count * n * Double.BYTES);
    this.infos = call.take((long) count * Integer.BYTES);
    this.statuses = call.take((long) count * Integer.BYTES);
  }

  static List<Status[]> run(List<DecomposeRequest> requests, CudaContext context) {
    context.enter();
    List<Status[]> all = new ArrayList<>();
    for (DecomposeRequest request : requests) {
      try (Call call = new Call(context)) {
        all.add(new Eigenvectors(request, call).run());
        call.finish();
      }
    }
    return all;
  }

  private Status[] run() {
    attempt(0, count, EigenSolver.divideAndConquer(call, n));
    int[] codes = call.readInts(statuses, count);
    EigenSolver jacobi = null;
    for (int k = 0; k < count; k++) {
      if (codes[k] == kfac_cuda.KFAC_MATRIX_NOT_CONVERGED) {
        jacobi = jacobi == null ? EigenSolver.jacobi(call, n) : jacobi;
        attempt(k, 1, jacobi);
      }
    }
    codes = call.readInts(statuses, count);
    store();
    if (jacobi != null) {
      jacobi.close();
    }
    return Arrays.stream(codes).mapToObj(Eigenvectors::status).toArray(Status[]::new);
  }

  private static Status status(int code) {
    return switch (code) {
      case kfac_cuda.KFAC_MATRIX_OK -> Status.OK;
      case kfac_cuda.KFAC_MATRIX_NOT_FINITE -> Status.NOT_FINITE;
      default -> Status.NOT_CONVERGED;
    };
  }

  /** Decomposes matrices {@code [first, first + number)}. */
  private void attempt(int first, int number, EigenSolver solver) {
    long from = first * bytes;
    scale(first, number);
    call.context()
        .check
        .runtime(
            cudaMemcpyAsync(
                Address.pointer(vectors + from),
                Address.pointer(matrices + from),
                number * bytes,
                cudaMemcpyDeviceToDevice,
                call.context().stream()),
            "cudaMemcpyAsync",
            source.shape());
    int[] codes = call.readInts(code(statuses, first), number);
    for (int i = 0; i < number; i++) {
      int k = first + i;
      if (codes[i] == kfac_cuda.KFAC_MATRIX_OK) { // an iteration on a NaN may never end
        solver.run(vectors + k * bytes, found(k), code(infos, k));
      }
    }
    Matrices rows = Matrices.of(vectors + from, n, n);
    new Gemm(call.context())
        .multiply(rows, Matrices.of(matrices + from, n, n), products + from, number);
    check(first, number);
  }

  private long found(int k) {
    return found + (long) k * n * Double.BYTES;
  }

  private static long code(long codes, int k) {
    return codes + (long) k * Integer.BYTES;
  }

  /** The matrices in fp64, and whether they are finite. */
  private void scale(int first, int number) {
    try (kfac_damp_request damp = new kfac_damp_request()) {
      damp.matrix(source.pointer().getPointer((long) first * n * n))
          .damped(Address.pointer(matrices + first * bytes))
          .status(Address.ints(code(statuses, first)))
          .dampings(null)
          .scale(request.scale())
          .damping(0)
          .n(n)
          .count(number)
          .dtype(kfac_cuda.KFAC_F64);
      call.kernels(
          "kfac_damp",
          source.shape(),
          () -> kfac_cuda.kfac_damp_workspace(damp, 1),
          (workspace, size) ->
              kfac_cuda.kfac_damp(damp, 1, workspace, size, call.context().stream()));
    }
  }

  private void check(int first, int number) {
    try (kfac_eigen_check_request check = new kfac_eigen_check_request()) {
      check
          .matrix(Address.doubles(matrices + first * bytes))
          .vectors(Address.doubles(vectors + first * bytes))
          .products(Address.doubles(products + first * bytes))
          .values(Address.doubles(found(first)))
          .infos(Address.ints(code(infos, first)))
          .status(Address.ints(code(statuses, first)))
          .largest(values.isDouble() ? Double.MAX_VALUE : Float.MAX_VALUE)
          .n(n)
          .count(number);
      call.kernels(
          "kfac_eigen_check",
          source.shape(),
          () -> kfac_cuda.kfac_eigen_check_workspace(check, 1),
          (workspace, size) ->
              kfac_cuda.kfac_eigen_check(check, 1, workspace, size, call.context().stream()));
    }
  }

  private void store() {
    CudaMatrixStack columns = call.stack(request.vectors());
    try (kfac_eigen_store_request store = new kfac_eigen_store_request()) {
      store
          .vectors(Address.doubles(vectors))
          .values(Address.doubles(found))
          .status(Address.ints(statuses))
          .columns(Address.pointer(columns.address()))
          .rounded(Address.pointer(values.address()))
          .n(n)
          .count(count)
          .vectors_dtype(columns.dtype())
          .values_dtype(values.dtype());
      call.kernels(
          "kfac_eigen_store",
          source.shape(),
          () -> kfac_cuda.kfac_eigen_store_workspace(store, 1),
          (workspace, size) ->
              kfac_cuda.kfac_eigen_store(store, 1, workspace, size, call.context().stream()));
    }
  }
}
