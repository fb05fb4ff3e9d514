package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;

/**
 * The squares of the Frobenius norms of a gradient and its step, in as many parts for each group as
 * there are tasks, beside those of the inverses.
 */
final class StepNorms {
  private final CpuMatrixStack g;
  private final CpuMatrixStack a;
  final double[] gradient;
  final double[] step;

  /**
   * Room for the parts.
   *
   * @param gradients parts of the gradient for each group
   * @param steps parts of the step for each group
   */
  StepNorms(CpuMatrixStack g, CpuMatrixStack a, int gradients, int steps) {
    this.g = g;
    this.a = a;
    this.gradient = new double[g.count() * gradients];
    this.step = new double[g.count() * steps];
  }

  /** Whether fp32 lost too much of the step, by the norms that {@link InverseNorms} has found. */
  boolean lossy(double scale) {
    int each = gradient.length / g.count();
    double squares = 0;
    for (int k = 0; k < g.count(); k++) {
      double dw = sum(gradient, k * each, (k + 1) * each);
      squares += dw * (g.squaredNorms()[k] / g.rows()) * (a.squaredNorms()[k] / a.rows());
    }
    double multiplied = Math.abs(scale) * Math.sqrt(squares);
    return StepAccuracy.isLossy(multiplied, Math.sqrt(sum(step, 0, step.length)));
  }

  private static double sum(double[] parts, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += parts[i];
    }
    return sum;
  }
}
