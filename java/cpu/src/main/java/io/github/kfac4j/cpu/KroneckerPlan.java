package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.KroneckerStep;
import io.github.kfac4j.backend.OuterProduct;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Preconditioning by two inverses: {@code U = scale G^-1 dW A^-1}, in this order (the other takes
 * as many operations), or through the batch, {@code U = scale weight (g G^-1)' (a A^-1)}, where
 * that takes fewer.
 */
final class KroneckerPlan extends Stages {
  private final double[] inner;

  KroneckerPlan(KroneckerStep step, Arena shared) {
    CpuMatrixStack g = CpuMatrixStack.of(step.gInverse());
    CpuMatrixStack a = CpuMatrixStack.of(step.aInverse());
    int rows = g.rows();
    int cols = a.rows();
    GradientMatrix gradient = new GradientMatrix(step.gradient(), g.count(), rows, cols, shared);
    Floats u = shared.take((long) g.count() * rows * cols);
    if (throughBatch(step.outerProduct(), rows, cols)) {
      throughBatch(step, g, a, u, shared);
    } else {
      direct(step, gradient, g, a, u, shared);
    }
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

  /** Whether going through the batch takes fewer operations. */
  static boolean throughBatch(OuterProduct product, long rows, long cols) {
    if (product == null) {
      return false;
    }
    double batch = product.g().rows();
    return batch * (rows * rows + cols * cols + rows * cols) < (double) rows * cols * (rows + cols);
  }

  private void direct(
      KroneckerStep step,
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

  private void throughBatch(
      KroneckerStep step, CpuMatrixStack g, CpuMatrixStack a, Floats u, Arena shared) {
    OuterProduct product = step.outerProduct();
    SampleMatrix gSamples = SampleMatrix.of(product.g());
    SampleMatrix aSamples = SampleMatrix.of(product.a());
    int rows = g.rows();
    int cols = a.rows();
    int batch = (int) product.g().rows();
    float alpha = (float) (step.scale() * product.weight());
    List<Gemm> halves = new ArrayList<>();
    List<Gemm> products = new ArrayList<>();
    for (int k = 0; k < g.count(); k++) {
      Floats left = shared.take((long) batch * rows);
      Floats right = shared.take((long) batch * cols);
      halves.add(aSamples.load(k, 0, batch, 0, cols, shared).times(a.matrix(k), right));
      halves.add(gSamples.load(k, 0, batch, 0, rows, shared).times(g.matrix(k), left));
      Floats c = u.plus((long) k * rows * cols);
      products.add(
          new Gemm(true, false, rows, cols, batch, alpha, left, rows, right, cols, 0, c, cols));
    }
    add(halves);
    add(products);
  }
}
