package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The squares of the Frobenius norms of inverses, kept beside them until they are made anew. */
public final class InverseNorms {
  /** Elements that are worth a task: a fraction of a millisecond. */
  private static final int PART = 1 << 20;

  private InverseNorms() {}

  /** What finds those that are not known yet. */
  public static List<? extends Plan> missing(List<PreconditionRequest> steps) {
    Set<CpuMatrixStack> unknown = null; // made but once a refresh
    for (PreconditionRequest step : steps) {
      for (MatrixStack inverse : new MatrixStack[] {step.gInverse(), step.aInverse()}) {
        CpuMatrixStack own = CpuMatrixStack.of(inverse);
        if (own.squaredNorms() == null) {
          unknown = unknown == null ? new LinkedHashSet<>() : unknown;
          unknown.add(own);
        }
      }
    }
    return unknown == null ? List.of() : unknown.stream().map(InverseNorms::plan).toList();
  }

  private static Plan plan(CpuMatrixStack stack) {
    int size = stack.rows() * stack.cols();
    int each = (size + PART - 1) / PART;
    double[] parts = new double[stack.count() * each];
    Stages plan = new Stages();
    plan.add(
        parts.length,
        task -> {
          int first = task % each * PART;
          long x = stack.address(task / each, first);
          parts[task] = Blas.dot(Math.min(PART, size - first), x, x);
        });
    plan.add(
        1,
        task -> {
          double[] norms = new double[stack.count()];
          Arrays.setAll(norms, k -> Arrays.stream(parts, k * each, (k + 1) * each).sum());
          stack.squaredNorms(norms);
        });
    return plan;
  }
}
