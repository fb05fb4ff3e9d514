package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.StepAccuracy;
import java.util.Arrays;

/**
 * The squares of the Frobenius norms of a gradient, its inverses and its step, in as many parts for
 * each group as there are tasks.
 */
final class StepNorms {
  private final int groups;
  private final int rows;
  private final int cols;
  final double[] gradient;
  final double[] g;
  final double[] a;
  final double[] step;

  StepNorms(int groups, int rows, int cols, int gradients, int gParts, int aParts, int steps) {
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.gradient = new double[groups * gradients];
    this.g = new double[groups * gParts];
    this.a = new double[groups * aParts];
    this.step = new double[groups * steps];
  }

  /** Whether fp32 lost too much of the step. */
  boolean lossy(double scale) {
    double squares = 0;
    for (int k = 0; k < groups; k++) {
      squares += sum(gradient, k) * (sum(g, k) / rows) * (sum(a, k) / cols);
    }
    double multiplied = Math.abs(scale) * Math.sqrt(squares);
    return StepAccuracy.isLossy(multiplied, Math.sqrt(Arrays.stream(step).sum()));
  }

  private double sum(double[] parts, int group) {
    int each = parts.length / groups;
    double sum = 0;
    for (int i = group * each; i < (group + 1) * each; i++) {
      sum += parts[i];
    }
    return sum;
  }
}
