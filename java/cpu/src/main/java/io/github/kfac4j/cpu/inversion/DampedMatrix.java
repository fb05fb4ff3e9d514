package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;

/**
 * The matrix {@code scale * source + damping I}, formed where it is needed.
 *
 * @param source n x n, symmetric; never changed
 */
record DampedMatrix(Floats source, int n, double scale, double damping) {

  /** Whether its inverse in fp32 needs no test; it costs the reading of both diagonals. */
  boolean certain(Floats inverse) {
    return InverseAccuracy.certain(n, scale * trace(source), damping, trace(inverse), 0x1p-24);
  }

  private double trace(Floats m) {
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += m.get(i * n + i);
    }
    return trace;
  }

  /** Writes rows [first, last) to their places in a matrix of n columns. */
  void load(int first, int last, Floats target) {
    int length = (last - first) * n;
    Floats rows = target.plus((long) first * n);
    rows.copy(source.plus((long) first * n), length);
    if ((float) scale != 1) {
      Blas.scale(length, (float) scale, rows);
    }
    for (int i = first; i < last; i++) {
      // in fp64, so that the sum is rounded once
      int diagonal = i * n + i;
      target.put(diagonal, (float) (scale * source.get(diagonal) + damping));
    }
  }
}
