package io.github.kfac4j.cuda.eigen;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.natives.kfac_cuda;

/**
 * The matrices of a request to decompose, where they lie on the device, all in fp64.
 *
 * @param source {@code [count, n, n]} in fp32, to be scaled
 * @param columns where eigenvectors go
 * @param values where eigenvalues go
 * @param matrices {@code [count, n, n]}, scaled
 * @param vectors {@code [count, n, n]}, a row for each eigenvector
 * @param products {@code [count, n, n]}, the matrices times them
 * @param found {@code [count, n]} eigenvalues
 * @param infos an integer a matrix, 0 if an algorithm says that it found them
 * @param statuses a kfac_matrix_status a matrix
 */
record EigenJob(
    CudaMatrixStack source,
    CudaMatrixStack columns,
    CudaMatrixStack values,
    double scale,
    long matrices,
    long vectors,
    long products,
    long found,
    long infos,
    long statuses) {

  static EigenJob of(DecomposeRequest request, long statuses, Call call) {
    CudaMatrixStack source = call.stack(request.source());
    long elements = (long) source.count() * source.rows() * source.rows() * Double.BYTES;
    return new EigenJob(
        source,
        call.stack(request.vectors()),
        call.stack(request.values()),
        request.scale(),
        call.take(elements),
        call.take(elements),
        call.take(elements),
        call.take((long) source.count() * source.rows() * Double.BYTES),
        call.take((long) source.count() * Integer.BYTES),
        statuses);
  }

  /** What {@link #of} takes, but for a few integers. */
  static long bytes(DecomposeRequest request) {
    long n = request.source().rows();
    return request.source().count() * (3 * n + 1) * n * Double.BYTES;
  }

  int n() {
    return source.rows();
  }

  /** Some of its matrices, from {@code first} on. */
  record Part(EigenJob job, int first, int count) {
    int n() {
      return job.n();
    }

    String shape() {
      return "%d x %d x %d".formatted(count, n(), n());
    }

    /** Scratch memory of a matrix for each, of the part. */
    long matrix(long stack) {
      return stack + (long) first * n() * n() * Double.BYTES;
    }

    long row(long rows) {
      return rows + (long) first * n() * Double.BYTES;
    }

    long code(long codes) {
      return codes + (long) first * Integer.BYTES;
    }

    /** Matrix {@code k} of the part alone. */
    Part one(int k) {
      return new Part(job, first + k, 1);
    }

    boolean isSmall() {
      return n() <= kfac_cuda.KFAC_JACOBI_SIZE;
    }
  }
}
