package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.Finite;
import io.github.kfac4j.cpu.matrix.Matrices;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;

/** The inverse of one damped matrix by OpenBLAS. */
final class LapackInverse {
  private LapackInverse() {}

  /** Writes the inverse; on failure writes nothing. */
  static Status invert(DampedMatrix matrix, Floats inverse, Arena scratch) {
    int n = matrix.n();
    if (n <= TinyInverse.MAX) {
      return TinyInverse.invert(matrix, inverse);
    }
    int size = n * n;
    Floats work = scratch.take(size);
    matrix.load(0, n, work);
    if (!Finite.all(work, size)) {
      return Status.NOT_FINITE;
    }
    int pivot = Blas.potrf(n, work, n);
    if (pivot == 0) {
      pivot = Blas.potri(n, work, n);
    }
    if (pivot > 0) {
      return Status.notPositiveDefinite(pivot - 1);
    }
    Matrices.mirrorLower(work, n, n);
    if (!Finite.all(work, size)) {
      return Status.NOT_FINITE;
    }
    inverse.copy(work, size);
    return Status.OK;
  }
}
