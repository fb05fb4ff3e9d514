package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.matrix.Target;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.Panels;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.Arrays;

/**
 * Preconditioning by two inverses on libkfac_cpu, for each group {@code U' = (A^-1 dW') G^-1}. What
 * stands to the right is packed first; then each task takes some rows of {@code A^-1}, which is
 * read once and where it lies, all the way to the result. The gradient may be overwritten then, and
 * is left in the panels.
 */
public final class PanelKroneckerPlan implements Plan, KroneckerStep {
  /** Multiplications that are worth a task: some ten microseconds. */
  private static final double TASK_WORK = 2e6;

  /** Each task reads all panels, so that many tasks would only read. */
  private static final int MAX_TASKS = 16;

  private static final int MIN_TASK_ROWS = 14;

  private final PreconditionRequest step;
  private final int groups;
  private final int rows;
  private final int cols;
  private final int width;
  private final float alpha;
  private final CpuMatrixStack g;
  private final CpuMatrixStack a;
  private final Source weightSource;
  private final Source biasSource;
  private final Floats weight;
  private final Floats bias;
  private final Target weightResult;
  private final Target biasResult;
  private final OneGroup[] parts;
  private final int blocks;
  private final double work;
  private final StepNorms norms;
  private double[] inner;

  /** What the tasks of one group share: {@code dW'} and {@code G^-1}. */
  private record OneGroup(Panels dw, Panels g) {}

  public PanelKroneckerPlan(PreconditionRequest step, Arena shared) {
    this.step = step;
    this.g = CpuMatrixStack.of(step.gInverse());
    this.a = CpuMatrixStack.of(step.aInverse());
    this.groups = g.count();
    this.rows = g.rows();
    this.cols = a.rows();
    boolean hasBias = step.gradient().bias() != null;
    this.width = hasBias ? cols - 1 : cols;
    this.weightSource = Source.of(step.gradient().weight());
    this.biasSource = hasBias ? Source.of(step.gradient().bias()) : null;
    this.weight = weightSource.view(0, groups * rows * width, shared);
    this.bias = hasBias ? biasSource.view(0, groups * rows, shared) : null;
    this.weightResult = new Target(step.result().weight(), shared);
    this.biasResult = hasBias ? new Target(step.result().bias(), shared) : null;
    this.alpha = (float) step.scale();
    this.parts = new OneGroup[groups];
    for (int k = 0; k < groups; k++) {
      parts[k] = new OneGroup(new Panels(cols, rows, shared), new Panels(rows, rows, shared));
    }
    this.work = (double) cols * rows * (cols + rows);
    int max = Math.min(MAX_TASKS, cols / MIN_TASK_ROWS);
    this.blocks = (int) Math.max(1, Math.min(max, work / TASK_WORK));
    this.norms = new StepNorms(g, a, parts[0].dw.count(), blocks);
    this.inner = new double[groups * blocks];
  }

  @Override
  public Plan forward() {
    return this;
  }

  @Override
  public boolean lossy() {
    return norms.lossy(step.scale());
  }

  @Override
  public double inner() {
    return Arrays.stream(inner).sum();
  }

  @Override
  public int phases() {
    return 2;
  }

  @Override
  public int tasks(int phase) {
    return groups * (phase == 0 ? parts[0].dw.count() + parts[0].g.count() : blocks);
  }

  @Override
  public double work() {
    return groups * work;
  }

  @Override
  public long scratchFloats() {
    int height = cols / blocks + 1;
    return (long) height * (pitch(rows) + rows) + 4L * rows + 2 * Floats.ALIGNMENT;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    int each = tasks(phase) / groups;
    int group = task / each;
    int part = task % each;
    if (phase == 1) {
      precondition(group, part, scratch);
    } else {
      pack(group, part);
    }
  }

  private void pack(int group, int task) {
    Panels dw = parts[group].dw;
    if (task >= dw.count()) {
      Panels inverse = parts[group].g;
      inverse.pack(task - dw.count(), 0, rows, g.address(group, 0), rows, 1);
      return;
    }
    long row = (long) group * rows + dw.first(task);
    dw.pack(task, 0, width, weight.address((long) group * rows * width), 1, width);
    double squares = squares(dw.columns(task) * (long) width, weight.address(row * width));
    if (bias != null) {
      dw.pack(task, width, 1, bias.address((long) group * rows), 1, 1);
      squares += squares(dw.columns(task), bias.address(row));
    }
    norms.gradient[group * dw.count() + task] = squares;
  }

  private static double squares(long n, long x) {
    return KfacCpu.kfac_cpu_dot(n, x, x);
  }

  /** Some columns of U, from rows of {@code A^-1}. */
  private void precondition(int group, int block, Arena scratch) {
    int from = (int) ((long) cols * block / blocks);
    int to = (int) ((long) cols * (block + 1) / blocks);
    int height = to - from;
    long half = scratch.takeAddress((long) height * pitch(rows));
    long u = scratch.takeAddress((long) height * rows);
    long inverse = a.address(group, (long) from * cols);
    parts[group].dw.multiply(height, inverse, cols, 1, half, pitch(rows), 1);
    parts[group].g.multiply(height, half, pitch(rows), alpha, u, 1, height);
    long corner = (long) group * rows * width + from;
    double sum = move(Math.min(to, width) - from, u, height, weight, weightResult, corner, width);
    if (to > width) {
      long last = u + Float.BYTES * (long) (width - from);
      sum += move(1, last, height, bias, biasResult, (long) group * rows, 1);
    }
    int at = group * blocks + block;
    inner[at] = sum;
    norms.step[at] = squares((long) height * rows, u);
  }

  private double move(int n, long u, int stride, Floats dw, Target to, long at, int toStride) {
    long from = dw.address(at);
    return KfacCpu.kfac_cpu_dot_and_copy(
        rows, n, u, stride, from, toStride, to.memory().address(at));
  }

  @Override
  public Plan again(Arena shared) {
    WideBasis wide = new WideBasis(g, a, groups, rows, cols, shared);
    int tasks = groups * parts[0].dw.count();
    inner = new double[tasks];
    Doubles start = wide.coefficients();
    Stages plan = new Stages();
    plan.add(tasks, task -> restore(task, start));
    wide.addForward(plan);
    plan.add(tasks, task -> round(task, wide.coefficients()));
    return plan;
  }

  /** Copies the rows of dW that one panel holds, with all digits that the gradient has. */
  private void restore(int task, Doubles to) {
    Panels dw = parts[task / parts[0].dw.count()].dw;
    int panel = task % dw.count();
    int first = task / dw.count() * rows + dw.first(panel);
    for (int c = 0; c < dw.columns(panel); c++) {
      Doubles row = to.plus((long) (first + c) * cols);
      for (int i = 0; i < cols; i++) {
        row.put(i, dw.get(panel, i, c));
      }
      if (!weightSource.inPlace()) {
        weightSource.copyTo(row, (long) (first + c) * width, width);
      }
      if (bias != null && !biasSource.inPlace()) {
        biasSource.copyTo(row.plus(width), first + c, 1);
      }
    }
  }

  /** Stores the rows of U for which one panel holds those of dW. */
  private void round(int task, Doubles exact) {
    Panels dw = parts[task / parts[0].dw.count()].dw;
    int panel = task % dw.count();
    int first = task / dw.count() * rows + dw.first(panel);
    double sum = 0;
    for (int c = 0; c < dw.columns(panel); c++) {
      int row = first + c;
      for (int i = 0; i < cols; i++) {
        float u = (float) (step.scale() * exact.get(row * cols + i));
        sum += (double) u * dw.get(panel, i, c);
        if (i < width) {
          weightResult.memory().put(row * width + i, u);
        } else {
          biasResult.memory().put(row, u);
        }
      }
    }
    inner[task] = sum;
  }

  @Override
  public Plan finish() {
    Stages plan = new Stages();
    if (!weightResult.inPlace() || (bias != null && !biasResult.inPlace())) {
      plan.add(
          1,
          task -> {
            weightResult.flush();
            if (bias != null) {
              biasResult.flush();
            }
          });
    }
    return plan;
  }

  /** A row length that does not put all rows into the same lines of a cache. */
  private static int pitch(int columns) {
    return (columns + 15) / 16 * 16 + 16;
  }
}
