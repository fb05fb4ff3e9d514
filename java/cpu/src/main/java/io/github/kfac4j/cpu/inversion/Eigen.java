package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Finite;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.openblas.DoubleBlas;
import java.util.List;

/**
 * The eigendecomposition of one symmetric matrix, in fp64: in fp32 the null space of a matrix of
 * low rank comes out as eigenvalues of several roundings of its norm, which a preconditioner
 * multiplies by the largest of the other factor over the damping.
 */
public final class Eigen {
  /**
   * Eigenvalues, ascending, and eigenvectors as rows, in place of a symmetric matrix; returns 0, or
   * another number if it failed.
   */
  interface Solver {
    int solve(int n, Doubles matrix, Doubles values, Arena scratch);
  }

  /** One after the other until one succeeds. */
  private static final List<Solver> SOLVERS = List.of(DoubleBlas::syevd, DoubleBlas::syevr);

  /** Elements that fit into the first-level cache with their transposes. */
  private static final int BLOCK = 32;

  private Eigen() {}

  /** {@code scale M = V diag(w) V'} for one matrix; on failure V and w keep their values. */
  public static Status decompose(DecomposeRequest request, int k, Arena scratch) {
    return decompose(request, k, SOLVERS, scratch);
  }

  /** The same by the first of some solvers that succeeds. */
  public static Status decompose(
      DecomposeRequest request, int k, List<Solver> solvers, Arena scratch) {
    CpuMatrixStack source = CpuMatrixStack.of(request.source());
    int n = source.rows();
    if (!Finite.all(source.matrix(k), n * n) || !Double.isFinite(request.scale())) {
      return Status.NOT_FINITE;
    }
    Doubles vectors = scratch.takeDoubles((long) n * n);
    Doubles values = scratch.takeDoubles(n);
    long mark = scratch.mark();
    for (Solver solver : solvers) {
      vectors.setScaled(0, source.matrix(k), 0, request.scale(), n * n);
      int info = solver.solve(n, vectors, values, scratch);
      scratch.reset(mark);
      double norm = Math.max(Math.abs(values.get(0)), Math.abs(values.get(n - 1)));
      if (info == 0 && norm < Double.POSITIVE_INFINITY) {
        return norm > Float.MAX_VALUE ? Status.NOT_FINITE : write(request, k, vectors, values);
      }
    }
    return Status.NOT_CONVERGED;
  }

  private static Status write(DecomposeRequest request, int k, Doubles rows, Doubles values) {
    CpuMatrixStack vectors = CpuMatrixStack.of(request.vectors());
    CpuMatrixStack target = CpuMatrixStack.of(request.values());
    int n = vectors.rows();
    for (int i0 = 0; i0 < n; i0 += BLOCK) {
      for (int j0 = 0; j0 < n; j0 += BLOCK) {
        for (int i = i0; i < Math.min(n, i0 + BLOCK); i++) {
          for (int j = j0; j < Math.min(n, j0 + BLOCK); j++) {
            vectors.put((k * n + i) * n + j, rows.get(j * n + i));
          }
        }
      }
    }
    for (int i = 0; i < n; i++) {
      target.put(k * n + i, values.get(i));
    }
    return Status.OK;
  }
}
