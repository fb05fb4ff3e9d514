package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.Matrices;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.DoubleBlas;

/** The inverse of one damped matrix by OpenBLAS in fp64, rounded once. */
final class DoubleInverse {
  private DoubleInverse() {}

  /** Writes the inverse; on failure writes nothing. */
  static Status invert(DampedMatrix matrix, Floats inverse, Arena scratch) {
    int n = matrix.n();
    Doubles work = scratch.takeDoubles((long) n * n);
    work.setScaled(0, matrix.source(), 0, matrix.scale(), n * n);
    for (int i = 0; i < n; i++) {
      int diagonal = i * n + i;
      work.put(diagonal, work.get(diagonal) + matrix.damping());
    }
    int pivot = DoubleBlas.invert(n, work);
    if (pivot != 0) {
      return Status.notPositiveDefinite(pivot - 1);
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        if (!Float.isFinite((float) work.get(i * n + j))) {
          return Status.NOT_FINITE;
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        inverse.put(i * n + j, (float) work.get(i * n + j));
      }
    }
    Matrices.mirrorLower(inverse, n, n);
    return Status.OK;
  }
}
