package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.GradientMatrix;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Stages;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;

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
public final class BasisPlan {
  /** The relative error of U up to which the product in brackets is left as it is in fp32. */
  private static final double BOUND = 1e-3;

  /** Elements that are divided at a time. */
  private static final int PIECE = 1024;

  private final BasisPreconditionRequest step;
  private final CpuMatrixStack moments;
  private final int rows;
  private final int cols;
  private final int size;
  private final GradientMatrix gradient;

  /** The fp64 arithmetic, once it is asked for. */
  private WideBasis wide;

  /** The fp32 arithmetic. */
  private final NarrowBasis narrow;

  /** For each task: squares of the coefficients before and after the division; parts of U dW. */
  private final double[] before;

  private final double[] after;
  private final double[] inner;

  public BasisPlan(BasisPreconditionRequest step, Arena shared) {
    this.step = step;
    this.moments = CpuMatrixStack.of(step.moments());
    this.rows = moments.rows();
    this.cols = moments.cols();
    this.size = moments.size();
    this.gradient = new GradientMatrix(step.gradient(), moments.count(), rows, cols, shared);
    this.narrow =
        new NarrowBasis(step.gBasis(), step.aBasis(), moments.count(), rows, cols, shared);
    this.before = new double[gradient.tasks()];
    this.after = new double[before.length];
    this.inner = new double[before.length];
  }

  private boolean fp64() {
    return ((HostTensor) step.gradient().weight()).isDouble();
  }

  /** The coefficients in fp32; nothing if they are wanted in fp64. */
  public Plan forward() {
    Stages plan = new Stages();
    if (fp64()) {
      return plan;
    }
    Floats start = narrow.coefficients();
    plan.add(before.length, task -> gradient.copyTo(start, task));
    narrow.addForward(plan);
    Floats coefficients = narrow.coefficients();
    plan.add(before.length, task -> divide(coefficients, task));
    return plan;
  }

  private int first(int task) {
    return (int) ((long) size * task / before.length);
  }

  private double damped(int i) {
    return step.scale() * moments.get(i) + step.damping();
  }

  /** Piece by piece in arrays, over which the compiler makes loops of vectors. */
  private void divide(Floats coefficients, int task) {
    float[] x = new float[PIECE];
    double[] damped = new double[PIECE];
    double squares = 0;
    double quotients = 0;
    int end = first(task + 1);
    for (int from = first(task); from < end; from += PIECE) {
      int length = Math.min(PIECE, end - from);
      coefficients.get(from, x, length);
      moments.get(from, damped, length);
      for (int i = 0; i < length; i++) {
        damped[i] = x[i] / (step.scale() * damped[i] + step.damping());
      }
      for (int i = 0; i < length; i++) {
        squares += (double) x[i] * x[i];
        quotients += damped[i] * damped[i];
        x[i] = (float) damped[i];
      }
      coefficients.put(from, x, length);
    }
    before[task] = squares;
    after[task] = quotients;
  }

  /** Whether the coefficients are to be formed in fp64, once {@link #forward} has run. */
  public boolean lossy() {
    double eta = Math.sqrt(Arrays.stream(before).sum() / Arrays.stream(after).sum());
    return fp64() || 10 * 0x1p-24 * eta / step.damping() > BOUND;
  }

  /** The coefficients in fp64. */
  public Plan again(Arena shared) {
    wide = new WideBasis(step.gBasis(), step.aBasis(), moments.count(), rows, cols, shared);
    Stages plan = new Stages();
    Doubles start = wide.coefficients();
    plan.add(before.length, task -> gradient.copyTo(start, task));
    wide.addForward(plan);
    Floats coefficients = narrow.coefficients();
    plan.add(before.length, task -> divideWide(coefficients, task));
    return plan;
  }

  private void divideWide(Floats coefficients, int task) {
    Doubles x = wide.coefficients();
    for (int i = first(task); i < first(task + 1); i++) {
      double y = x.get(i) / damped(i);
      x.put(i, y);
      coefficients.put(i, (float) y);
    }
  }

  /** U from the coefficients. */
  public Plan back() {
    Stages plan = new Stages();
    if (fp64()) {
      wide.addBack(plan);
      plan.add(before.length, this::round);
    } else {
      narrow.addBack(plan);
    }
    Floats u = narrow.coefficients();
    plan.add(
        inner.length,
        task -> {
          inner[task] = gradient.dot(u, task);
          gradient.write(u, step.result(), task);
        });
    return plan;
  }

  private void round(int task) {
    Doubles x = wide.coefficients();
    Floats u = narrow.coefficients();
    for (int i = first(task); i < first(task + 1); i++) {
      u.put(i, (float) x.get(i));
    }
  }

  /** The inner product of U and dW, once everything has run. */
  public double inner() {
    return Arrays.stream(inner).sum();
  }
}
