package io.github.kfac4j.cpu;

import static org.bytedeco.openblas.global.openblas.*;

import io.github.kfac4j.backend.Status;
import java.nio.DoubleBuffer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.Pointer;

/** The inverse of one damped matrix by OpenBLAS in fp64, rounded once. */
final class DoubleInverse {
  private static final byte UPPER = 'U';

  private DoubleInverse() {}

  private static final class Place extends DoublePointer {
    Place(Floats memory, long length) {
      super((Pointer) null);
      address = memory.address();
      limit = length;
      capacity = length;
    }
  }

  /** Writes the inverse; on failure writes nothing. */
  static Status invert(DampedMatrix matrix, Floats inverse, Arena scratch) {
    int n = matrix.n();
    int size = n * n;
    Place work = new Place(scratch.take(2L * size), size);
    DoubleBuffer elements = work.asBuffer();
    for (int i = 0; i < size; i++) {
      elements.put(i, matrix.scale() * matrix.source().get(i));
    }
    for (int i = 0; i < n; i++) {
      int diagonal = i * n + i;
      elements.put(diagonal, elements.get(diagonal) + matrix.damping());
    }
    int pivot = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, UPPER, n, work, n);
    if (pivot == 0) {
      pivot = LAPACKE_dpotri_work(LAPACK_COL_MAJOR, UPPER, n, work, n);
    }
    if (pivot != 0) {
      return Status.notPositiveDefinite(pivot - 1);
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        if (!Float.isFinite((float) elements.get(i * n + j))) {
          return Status.NOT_FINITE;
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        inverse.put(i * n + j, (float) elements.get(i * n + j));
      }
    }
    Matrices.mirrorLower(inverse, n, n);
    return Status.OK;
  }
}
