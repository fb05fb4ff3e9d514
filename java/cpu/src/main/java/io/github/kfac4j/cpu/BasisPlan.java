package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.BasisStep;
import io.github.kfac4j.backend.OuterProduct;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Preconditioning in a Kronecker basis: {@code U = Qg [(Qg' dW Qa) / (s M + damping)] Qa'}, the
 * product in brackets through the batch where that takes fewer operations.
 */
final class BasisPlan extends Stages {
  private final double[] inner;

  BasisPlan(BasisStep step, Arena shared) {
    CpuMatrixStack moments = CpuMatrixStack.of(step.moments());
    int groups = moments.count();
    int rows = moments.rows();
    int cols = moments.cols();
    GradientMatrix gradient = new GradientMatrix(step.gradient(), groups, rows, cols, shared);
    Floats current = shared.take((long) groups * rows * cols);
    Floats other = shared.take((long) groups * rows * cols);
    inner = new double[gradient.tasks()];

    OuterProduct product = step.outerProduct();
    boolean rotated = step.gBasis() != null && step.aBasis() != null;
    boolean throughBatch = rotated && ThroughBatch.isCheaper(product, rows, cols);
    if (throughBatch) {
      ThroughBatch.add(
          this,
          product,
          CpuMatrixStack.of(step.gBasis()),
          CpuMatrixStack.of(step.aBasis()),
          (float) product.weight(),
          current,
          shared);
    } else if (step.gBasis() == null) {
      Floats copy = current;
      add(inner.length, task -> gradient.copyTo(copy, task));
    } else {
      List<Gemm> left = new ArrayList<>();
      CpuMatrixStack q = CpuMatrixStack.of(step.gBasis());
      for (int k = 0; k < groups; k++) {
        gradient.leftProducts(left, true, q.matrix(k), k, current.plus((long) k * rows * cols));
      }
      add(left);
    }
    if (step.aBasis() != null && !throughBatch) {
      addRight(CpuMatrixStack.of(step.aBasis()), false, current, other, rows);
      Floats swap = current;
      current = other;
      other = swap;
    }
    Floats divided = current;
    int size = groups * rows * cols;
    add(
        inner.length,
        task -> {
          int from = (int) ((long) size * task / inner.length);
          int to = (int) ((long) size * (task + 1) / inner.length);
          divide(divided, moments.matrix(0), from, to, step.scale(), step.damping());
        });
    if (step.gBasis() != null) {
      CpuMatrixStack q = CpuMatrixStack.of(step.gBasis());
      List<Gemm> left = new ArrayList<>();
      for (int k = 0; k < groups; k++) {
        long at = (long) k * rows * cols;
        Floats from = current.plus(at);
        Floats to = other.plus(at);
        left.add(Gemm.of(false, false, rows, cols, rows, q.matrix(k), rows, from, cols, to, cols));
      }
      add(left);
      Floats swap = current;
      current = other;
      other = swap;
    }
    if (step.aBasis() != null) {
      addRight(CpuMatrixStack.of(step.aBasis()), true, current, other, rows);
      current = other;
    }
    Floats u = current;
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

  private void addRight(CpuMatrixStack q, boolean transpose, Floats from, Floats to, int rows) {
    int cols = q.rows();
    List<Gemm> right = new ArrayList<>();
    for (int k = 0; k < q.count(); k++) {
      long at = (long) k * rows * cols;
      Floats x = from.plus(at);
      right.add(
          Gemm.of(
              false, transpose, rows, cols, cols, x, cols, q.matrix(k), cols, to.plus(at), cols));
    }
    add(right);
  }

  private static void divide(
      Floats x, Floats moments, int from, int to, double scale, double damping) {
    for (int i = from; i < to; i++) {
      x.put(i, (float) (x.get(i) / (scale * moments.get(i) + damping)));
    }
  }
}
