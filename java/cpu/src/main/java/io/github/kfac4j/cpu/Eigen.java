package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Status;

/** The eigendecomposition of one symmetric matrix, by divide and conquer. */
final class Eigen {
  private Eigen() {}

  /** {@code M = V diag(w) V'}; on failure V and w keep their values. */
  static Status decompose(DampedMatrix matrix, Floats vectors, Floats values, Arena scratch) {
    int n = matrix.n();
    int size = n * n;
    Floats work = scratch.take(size);
    Floats eigenvalues = scratch.take(n);
    matrix.load(0, n, work);
    if (!Finite.all(work, size)) {
      return Status.NOT_FINITE;
    }
    if (Blas.syevd(n, work, eigenvalues, scratch.take(Blas.syevdWork(n))) > 0) {
      return Status.NOT_CONVERGED;
    }
    if (!Finite.all(work, size) || !Finite.all(eigenvalues, n)) {
      return Status.NOT_FINITE;
    }
    Matrices.transpose(work, n, n, n, vectors, n);
    values.copy(eigenvalues, n);
    return Status.OK;
  }
}
