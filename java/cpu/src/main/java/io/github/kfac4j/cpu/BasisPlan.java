package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Preconditioning in a Kronecker basis: {@code U = Qg [(Qg' dW Qa) / (s M + damping)] Qa'}.
 *
 * <p>In fp32 that product has noise of u |dW| (u = 2^-24) in every component, which the division
 * multiplies by 1 / damping where the moment is 0. Relative to U that is u times {@code eta = |dW|
 * / (damping |U|)}: 1 for a gradient outside the range of the factors, up to their condition for
 * one inside, as that of the batch they were made of. Below 1200 columns it is 10 u eta at most;
 * where that is beyond {@link #BOUND}, the product is formed again in fp64. Multiplying back is
 * orthogonal and loses nothing. A gradient in fp64 is preconditioned in fp64 throughout.
 *
 * <p>To be run in turn: {@link #forward}, {@link #again} if {@link #lossy}, {@link #back}.
 */
final class BasisPlan {
  /** The relative error of U up to which the product in brackets is left as it is in fp32. */
  private static final double BOUND = 1e-3;

  private final BasisPreconditionRequest step;
  private final CpuMatrixStack moments;
  private final CpuMatrixStack gBasis;
  private final CpuMatrixStack aBasis;
  private final int rows;
  private final int cols;
  private final int size;
  private final GradientMatrix gradient;

  /** The fp64 arithmetic, once it is asked for. */
  private WideBasis wide;

  /** {@code [groups, rows, cols]}: the gradient in the basis, divided; and room for a product. */
  private final Floats coefficients;

  private final Floats other;

  /** For each task: squares of the coefficients before and after the division; parts of U dW. */
  private final double[] before;

  private final double[] after;
  private final double[] inner;

  BasisPlan(BasisPreconditionRequest step, Arena shared) {
    this.step = step;
    this.moments = CpuMatrixStack.of(step.moments());
    this.gBasis = step.gBasis() == null ? null : CpuMatrixStack.of(step.gBasis());
    this.aBasis = step.aBasis() == null ? null : CpuMatrixStack.of(step.aBasis());
    this.rows = moments.rows();
    this.cols = moments.cols();
    this.size = moments.size();
    this.gradient = new GradientMatrix(step.gradient(), moments.count(), rows, cols, shared);
    this.coefficients = shared.take(size);
    this.other = shared.take(size);
    this.before = new double[gradient.tasks()];
    this.after = new double[before.length];
    this.inner = new double[before.length];
  }

  private boolean fp64() {
    return ((HostTensor) step.gradient().weight()).isDouble();
  }

  /** The coefficients in fp32; nothing if they are wanted in fp64. */
  Plan forward() {
    Stages plan = new Stages();
    if (fp64()) {
      return plan;
    }
    boolean right = aBasis != null;
    Floats left = right ? other : coefficients;
    if (gBasis == null) {
      plan.add(before.length, task -> gradient.copyTo(left, task));
    } else {
      List<Gemm> products = new ArrayList<>();
      for (int k = 0; k < moments.count(); k++) {
        gradient.leftProducts(products, true, gBasis.matrix(k), k, left.plus(start(k)));
      }
      plan.add(products);
    }
    if (right) {
      addRight(plan, false, other, coefficients);
    }
    plan.add(before.length, this::divide);
    return plan;
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }

  private void addRight(Stages plan, boolean transpose, Floats from, Floats to) {
    List<Gemm> right = new ArrayList<>();
    for (int k = 0; k < moments.count(); k++) {
      Floats q = aBasis.matrix(k);
      Floats x = from.plus(start(k));
      Floats y = to.plus(start(k));
      right.add(Gemm.of(false, transpose, rows, cols, cols, x, cols, q, cols, y, cols));
    }
    plan.add(right);
  }

  private int first(int task) {
    return (int) ((long) size * task / before.length);
  }

  private double damped(int i) {
    return step.scale() * moments.get(i) + step.damping();
  }

  private void divide(int task) {
    double squares = 0;
    double quotients = 0;
    for (int i = first(task); i < first(task + 1); i++) {
      double x = coefficients.get(i);
      double y = x / damped(i);
      squares += x * x;
      quotients += y * y;
      coefficients.put(i, (float) y);
    }
    before[task] = squares;
    after[task] = quotients;
  }

  /** Whether the coefficients are to be formed in fp64, once {@link #forward} has run. */
  boolean lossy() {
    double eta = Math.sqrt(Arrays.stream(before).sum() / Arrays.stream(after).sum());
    return fp64() || 10 * 0x1p-24 * eta / step.damping() > BOUND;
  }

  /** The coefficients in fp64. */
  Plan again(Arena shared) {
    wide = new WideBasis(gBasis, aBasis, moments.count(), rows, cols, shared);
    Stages plan = new Stages();
    wide.addForward(plan, gradient);
    plan.add(before.length, this::divideWide);
    return plan;
  }

  private void divideWide(int task) {
    Doubles x = wide.coefficients();
    for (int i = first(task); i < first(task + 1); i++) {
      double y = x.get(i) / damped(i);
      x.put(i, y);
      coefficients.put(i, (float) y);
    }
  }

  /** U from the coefficients. */
  Plan back() {
    Stages plan = new Stages();
    Floats u = coefficients;
    if (fp64()) {
      wide.addBack(plan);
      plan.add(before.length, this::round);
    } else {
      if (gBasis != null) {
        List<Gemm> left = new ArrayList<>();
        for (int k = 0; k < moments.count(); k++) {
          Floats q = gBasis.matrix(k);
          Floats x = coefficients.plus(start(k));
          Floats y = other.plus(start(k));
          left.add(Gemm.of(false, false, rows, cols, rows, q, rows, x, cols, y, cols));
        }
        plan.add(left);
        u = other;
      }
      if (aBasis != null) {
        Floats to = u == other ? coefficients : other;
        addRight(plan, true, u, to);
        u = to;
      }
    }
    Floats result = u;
    plan.add(
        inner.length,
        task -> {
          inner[task] = gradient.dot(result, task);
          gradient.write(result, step.result(), task);
        });
    return plan;
  }

  private void round(int task) {
    Doubles x = wide.coefficients();
    for (int i = first(task); i < first(task + 1); i++) {
      coefficients.put(i, (float) x.get(i));
    }
  }

  /** The inner product of U and dW, once everything has run. */
  double inner() {
    return Arrays.stream(inner).sum();
  }
}
