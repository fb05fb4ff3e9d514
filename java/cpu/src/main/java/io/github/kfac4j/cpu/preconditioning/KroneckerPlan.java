package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.matrix.GradientMatrix;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Preconditioning by two inverses on OpenBLAS: {@code U = scale G^-1 dW A^-1}, in this order (the
 * other takes as many operations).
 */
public final class KroneckerPlan implements KroneckerStep {
  private final PreconditionRequest step;
  private final CpuMatrixStack g;
  private final CpuMatrixStack a;
  private final int groups;
  private final int rows;
  private final int cols;
  private final GradientMatrix gradient;
  private final Floats half;
  private final Floats u;
  private final StepNorms norms;
  private final double[] inner;

  /** Takes memory for itself. */
  public KroneckerPlan(PreconditionRequest step, Arena shared) {
    this.step = step;
    this.g = CpuMatrixStack.of(step.gInverse());
    this.a = CpuMatrixStack.of(step.aInverse());
    this.groups = g.count();
    this.rows = g.rows();
    this.cols = a.rows();
    this.gradient = new GradientMatrix(step.gradient(), groups, rows, cols, shared);
    this.half = shared.take((long) groups * rows * cols);
    this.u = shared.take((long) groups * rows * cols);
    this.norms = new StepNorms(g, a, 1, 1);
    this.inner = new double[gradient.tasks()];
  }

  @Override
  public Plan forward() {
    List<Gemm> left = new ArrayList<>();
    List<Gemm> right = new ArrayList<>();
    float scale = (float) step.scale();
    for (int k = 0; k < groups; k++) {
      Floats h = half.plus(start(k));
      Floats c = u.plus(start(k));
      gradient.leftProducts(left, false, g.matrix(k), k, h);
      Floats inverse = a.matrix(k);
      right.add(
          new Gemm(false, false, rows, cols, cols, scale, h, cols, inverse, cols, 0, c, cols));
    }
    Stages plan = new Stages();
    plan.add(left);
    plan.add(right);
    plan.add(groups, this::measure);
    return plan;
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }

  private void measure(int group) {
    norms.gradient[group] = gradient.squares(group);
    Floats part = u.plus(start(group));
    norms.step[group] = Blas.dot(rows * cols, part, part);
  }

  @Override
  public boolean lossy() {
    return norms.lossy(step.scale());
  }

  @Override
  public Plan again(Arena shared) {
    WideBasis wide =
        new WideBasis(Basis.ofColumns(g), Basis.ofColumns(a), groups, rows, cols, shared);
    Stages plan = new Stages();
    Doubles start = wide.coefficients();
    plan.add(gradient.tasks(), task -> gradient.copyTo(start, task));
    wide.addForward(plan);
    plan.add(gradient.tasks(), task -> round(wide, task));
    return plan;
  }

  private void round(WideBasis wide, int task) {
    Doubles exact = wide.coefficients();
    int last = gradient.firstRow(task + 1) * cols;
    for (int i = gradient.firstRow(task) * cols; i < last; i++) {
      u.put(i, (float) (step.scale() * exact.get(i)));
    }
  }

  @Override
  public Plan finish() {
    Stages plan = new Stages();
    plan.add(
        inner.length,
        task -> {
          inner[task] = gradient.dot(u, task);
          gradient.write(u, step.result(), task);
        });
    return plan;
  }

  @Override
  public double inner() {
    return Arrays.stream(inner).sum();
  }
}
