package io.github.kfac4j.cuda.eigen;

import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToDevice;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.eigen.EigenJob.Part;
import io.github.kfac4j.cuda.matrix.Gemm;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.ArrayList;
import java.util.List;

/**
 * Eigendecompositions in fp64: of small matrices by Jacobi rotations of our own, all in one launch;
 * of larger ones by cuSOLVER, one matrix after another, by divide and conquer. What fails is tried
 * again by the next of these ways, the last being cuSOLVER's Jacobi rotations. Each result is
 * multiplied with its matrix before it is believed.
 */
public final class Eigenvectors {
  /** Scratch memory for small matrices that are done together. */
  private static final long MAX_BYTES = 1L << 30;

  private enum Way {
    JACOBI,
    CUSOLVER,
    CUSOLVER_JACOBI
  }

  private final Call call;
  private final EigenKernels kernels;
  private final List<EigenJob> jobs = new ArrayList<>();
  private final int matrices;
  private final long statuses;

  private Eigenvectors(List<DecomposeRequest> requests, Call call) {
    this.call = call;
    this.kernels = new EigenKernels(call);
    this.matrices = requests.stream().mapToInt(r -> r.source().count()).sum();
    this.statuses = call.take((long) matrices * Integer.BYTES);
    long at = statuses;
    for (DecomposeRequest request : requests) {
      jobs.add(EigenJob.of(request, at, call));
      at += (long) request.source().count() * Integer.BYTES;
    }
  }

  public static List<Status[]> run(List<DecomposeRequest> requests, CudaContext context) {
    context.enter();
    Status[][] all = new Status[requests.size()][];
    List<Integer> together = new ArrayList<>();
    long bytes = 0;
    for (int i = 0; i < all.length; i++) {
      DecomposeRequest request = requests.get(i);
      if (request.source().rows() > kfac_cuda.KFAC_JACOBI_SIZE) {
        run(requests, List.of(i), all, context);
        continue;
      }
      bytes += EigenJob.bytes(request);
      if (bytes > MAX_BYTES && !together.isEmpty()) {
        run(requests, together, all, context);
        together.clear();
        bytes = EigenJob.bytes(request);
      }
      together.add(i);
    }
    run(requests, together, all, context);
    return List.of(all);
  }

  private static void run(
      List<DecomposeRequest> requests, List<Integer> some, Status[][] all, CudaContext context) {
    if (some.isEmpty()) {
      return;
    }
    try (Call call = new Call(context)) {
      int[] codes = new Eigenvectors(some.stream().map(requests::get).toList(), call).run();
      call.finish();
      int at = 0;
      for (int i : some) {
        all[i] = new Status[requests.get(i).source().count()];
        for (int k = 0; k < all[i].length; k++) {
          all[i][k] = status(codes[at++]);
        }
      }
    }
  }

  private static Status status(int code) {
    return switch (code) {
      case kfac_cuda.KFAC_MATRIX_OK -> Status.OK;
      case kfac_cuda.KFAC_MATRIX_NOT_FINITE -> Status.NOT_FINITE;
      default -> Status.NOT_CONVERGED;
    };
  }

  private int[] run() {
    List<Part> parts = jobs.stream().map(job -> new Part(job, 0, job.source().count())).toList();
    boolean small = parts.stream().allMatch(Part::isSmall);
    int[] codes = null;
    for (Way way : Way.values()) {
      if (!parts.isEmpty() && (way != Way.JACOBI || small)) {
        attempt(parts, way);
        codes = call.readInts(statuses, matrices);
        parts = failed(codes);
      }
    }
    kernels.store(jobs);
    return codes;
  }

  private List<Part> failed(int[] codes) {
    List<Part> failed = new ArrayList<>();
    int at = 0;
    for (EigenJob job : jobs) {
      for (int k = 0; k < job.source().count(); k++) {
        if (codes[at++] == kfac_cuda.KFAC_MATRIX_NOT_CONVERGED) {
          failed.add(new Part(job, k, 1));
        }
      }
    }
    return failed;
  }

  private void attempt(List<Part> parts, Way way) {
    kernels.scale(parts);
    if (way == Way.JACOBI) {
      kernels.jacobi(parts);
    } else {
      parts.forEach(part -> cusolver(part, way));
    }
    Gemm gemm = new Gemm(call.context());
    for (Part part : parts) {
      int n = part.n();
      Matrices rows = Matrices.of(part.matrix(part.job().vectors()), n, n);
      Matrices matrices = Matrices.of(part.matrix(part.job().matrices()), n, n);
      gemm.multiply(rows, matrices, part.matrix(part.job().products()), part.count());
    }
    kernels.check(parts);
  }

  private void cusolver(Part part, Way way) {
    EigenJob job = part.job();
    long bytes = (long) part.count() * part.n() * part.n() * Double.BYTES;
    call.context()
        .check()
        .runtime(
            cudaMemcpyAsync(
                Address.pointer(part.matrix(job.vectors())),
                Address.pointer(part.matrix(job.matrices())),
                bytes,
                cudaMemcpyDeviceToDevice,
                call.context().stream()),
            "cudaMemcpyAsync",
            part.shape());
    int[] codes = call.readInts(part.code(job.statuses()), part.count());
    try (EigenSolver solver =
        way == Way.CUSOLVER
            ? EigenSolver.divideAndConquer(call, part.n())
            : EigenSolver.jacobi(call, part.n())) {
      for (int k = 0; k < codes.length; k++) {
        if (codes[k] == kfac_cuda.KFAC_MATRIX_OK) { // an iteration on a NaN may never end
          Part one = part.one(k);
          solver.run(one.matrix(job.vectors()), one.row(job.found()), one.code(job.infos()));
        }
      }
    }
  }
}
