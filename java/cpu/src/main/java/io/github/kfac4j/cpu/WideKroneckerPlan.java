package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.PreconditionRequest;
import java.util.Arrays;

/** Preconditioning by two inverses in fp64, rounded once. */
final class WideKroneckerPlan extends Stages {
  private final double[] inner;

  WideKroneckerPlan(PreconditionRequest step, Arena shared) {
    CpuMatrixStack g = CpuMatrixStack.of(step.gInverse());
    CpuMatrixStack a = CpuMatrixStack.of(step.aInverse());
    int rows = g.rows();
    int cols = a.rows();
    int size = g.count() * rows * cols;
    GradientMatrix gradient = new GradientMatrix(step.gradient(), g.count(), rows, cols, shared);
    WideBasis product = new WideBasis(g, a, g.count(), rows, cols, shared);
    product.addForward(this, gradient);
    Floats u = shared.take(size);
    inner = new double[gradient.tasks()];
    add(
        inner.length,
        task -> {
          int first = (int) ((long) size * task / inner.length);
          int last = (int) ((long) size * (task + 1) / inner.length);
          Doubles exact = product.coefficients();
          for (int i = first; i < last; i++) {
            u.put(i, (float) (step.scale() * exact.get(i)));
          }
        });
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
}
