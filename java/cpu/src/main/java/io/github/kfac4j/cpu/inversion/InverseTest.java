package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.cpu.scheduling.Stages;

/**
 * The quick test of {@link InverseAccuracy}: {@code |X (M z) - z|_2} in fp64, for a few vectors z.
 * {@code M z} is kept as sums of two fp32 numbers, whose products with fp32 elements fp64 holds.
 */
final class InverseTest extends Stages {
  private static final int VECTORS = InverseAccuracy.VECTORS;

  /** Elements of the rows of one task. */
  private static final int CHUNK = 1 << 16;

  private final DampedMatrix matrix;
  private final Floats inverse;
  private final int n;

  /** z, then the leading and then the trailing parts of M z, a vector after the other. */
  private final Floats vectors;

  private final double[] sums;

  /** Takes memory that all tasks share from an arena. */
  InverseTest(DampedMatrix matrix, Floats inverse, Arena memory) {
    this.matrix = matrix;
    this.inverse = inverse;
    this.n = matrix.n();
    this.vectors = memory.take(3L * VECTORS * n);
    int rows = Math.max(1, CHUNK / n);
    int tasks = (n + rows - 1) / rows;
    this.sums = new double[tasks * VECTORS];
    add(1, task -> setSigns());
    add(tasks, task -> multiply(task * rows, Math.min(n, (task + 1) * rows)));
    add(tasks, task -> addRests(task, task * rows, Math.min(n, (task + 1) * rows)));
  }

  private void setSigns() {
    for (int v = 0; v < VECTORS; v++) {
      for (int i = 0; i < n; i++) {
        vectors.put(v * n + i, InverseAccuracy.sign(v, i));
      }
    }
  }

  private double product(Floats matrix, int row, int vector) {
    return Blas.dot(n, matrix.address((long) row * n), vectors.address((long) vector * n));
  }

  private void multiply(int first, int last) {
    for (int i = first; i < last; i++) {
      for (int v = 0; v < VECTORS; v++) {
        double y =
            matrix.scale() * product(matrix.source(), i, v)
                + matrix.damping() * vectors.get(v * n + i);
        float leading = (float) y;
        vectors.put((VECTORS + v) * n + i, leading);
        vectors.put((2 * VECTORS + v) * n + i, (float) (y - leading));
      }
    }
  }

  private void addRests(int task, int first, int last) {
    for (int i = first; i < last; i++) {
      for (int v = 0; v < VECTORS; v++) {
        double rest =
            product(inverse, i, VECTORS + v)
                - vectors.get(v * n + i)
                + product(inverse, i, 2 * VECTORS + v);
        sums[task * VECTORS + v] += rest * rest;
      }
    }
  }

  /** Once the plan has run. */
  boolean accepted() {
    double worst = 0;
    for (int v = 0; v < VECTORS; v++) {
      double sum = 0;
      for (int i = v; i < sums.length; i += VECTORS) {
        sum += sums[i];
      }
      worst = Math.max(worst, sum); // NaN stays
    }
    return Math.sqrt(worst) <= InverseAccuracy.ACCEPTED;
  }
}
