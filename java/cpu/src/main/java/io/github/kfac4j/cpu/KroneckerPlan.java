package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.PreconditionRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Preconditioning by two inverses: {@code U = scale G^-1 dW A^-1}, in this order (the other takes
 * as many operations).
 */
final class KroneckerPlan extends Stages {
  private final double[] inner;

  KroneckerPlan(PreconditionRequest step, Arena shared) {
    CpuMatrixStack g = CpuMatrixStack.of(step.gInverse());
    CpuMatrixStack a = CpuMatrixStack.of(step.aInverse());
    int rows = g.rows();
    int cols = a.rows();
    GradientMatrix gradient = new GradientMatrix(step.gradient(), g.count(), rows, cols, shared);
    Floats u = shared.take((long) g.count() * rows * cols);
    addProducts(step, gradient, g, a, u, shared);
    inner = new double[gradient.tasks()];
    add(
        inner.length,
        task -> {
          inner[task] = gradient.dot(u, task);
          gradient.write(u, step.result(), task);
        });
  }

  /** The inner product of U and dW, once the plan has run. */
  double inner() {
    return Arrays.stream(inner).sum();
  }

  private void addProducts(
      PreconditionRequest step,
      GradientMatrix gradient,
      CpuMatrixStack g,
      CpuMatrixStack a,
      Floats u,
      Arena shared) {
    int rows = g.rows();
    int cols = a.rows();
    Floats half = shared.take((long) g.count() * rows * cols);
    List<Gemm> left = new ArrayList<>();
    List<Gemm> right = new ArrayList<>();
    for (int k = 0; k < g.count(); k++) {
      long start = (long) k * rows * cols;
      Floats h = half.plus(start);
      gradient.leftProducts(left, false, g.matrix(k), k, h);
      right.add(
          new Gemm(
              false,
              false,
              rows,
              cols,
              cols,
              (float) step.scale(),
              h,
              cols,
              a.matrix(k),
              cols,
              0,
              u.plus(start),
              cols));
    }
    add(left);
    add(right);
  }
}
