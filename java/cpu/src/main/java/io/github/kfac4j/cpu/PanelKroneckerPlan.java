package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.PreconditionRequest;
import java.util.Arrays;

/**
 * Preconditioning by two inverses on libkfac_cpu, for each group {@code U' = (A^-1 dW') G^-1}. What
 * stands to the right is packed first; then each task takes some rows of {@code A^-1}, which is
 * read once and where it lies, all the way to the result.
 */
final class PanelKroneckerPlan implements Plan {
  /** Multiplications that are worth a task: some ten microseconds. */
  private static final double TASK_WORK = 2e6;

  /** Each task reads all panels, so that many tasks would only read. */
  private static final int MAX_TASKS = 16;

  private static final int MIN_TASK_ROWS = 14;

  private final int groups;
  private final int rows;
  private final int cols;
  private final int width;
  private final float alpha;
  private final CpuMatrixStack g;
  private final CpuMatrixStack a;
  private final Floats weight;
  private final Floats bias;
  private final Target weightResult;
  private final Target biasResult;
  private final OneGroup[] parts;
  private final int blocks;
  private final double work;
  private final double[] inner;

  /** What the tasks of one group share: {@code dW'} and {@code G^-1}. */
  private record OneGroup(Panels dw, Panels g) {}

  PanelKroneckerPlan(PreconditionRequest step, Arena shared) {
    this.g = CpuMatrixStack.of(step.gInverse());
    this.a = CpuMatrixStack.of(step.aInverse());
    this.groups = g.count();
    this.rows = g.rows();
    this.cols = a.rows();
    boolean hasBias = step.gradient().bias() != null;
    this.width = hasBias ? cols - 1 : cols;
    this.weight = Source.of(step.gradient().weight()).view(0, groups * rows * width, shared);
    this.bias = hasBias ? Source.of(step.gradient().bias()).view(0, groups * rows, shared) : null;
    this.weightResult = new Target(step.result().weight(), shared);
    this.biasResult = hasBias ? new Target(step.result().bias(), shared) : null;
    this.alpha = (float) step.scale();
    this.parts = new OneGroup[groups];
    for (int k = 0; k < groups; k++) {
      parts[k] = new OneGroup(new Panels(cols, rows, shared), new Panels(rows, rows, shared));
    }
    this.work = (double) cols * rows * (cols + rows);
    int most = Math.min(MAX_TASKS, cols / MIN_TASK_ROWS);
    this.blocks = (int) Math.max(1, Math.min(most, work / TASK_WORK));
    this.inner = new double[groups * blocks];
  }

  /** The inner product of U and dW, once the plan has run. */
  double inner() {
    return Arrays.stream(inner).sum();
  }

  @Override
  public int phases() {
    return flushes() ? 3 : 2;
  }

  private boolean flushes() {
    return !weightResult.inPlace() || (bias != null && !biasResult.inPlace());
  }

  @Override
  public int tasks(int phase) {
    return switch (phase) {
      case 0 -> groups * (parts[0].dw.count() + parts[0].g.count());
      case 1 -> groups * blocks;
      default -> 1;
    };
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
    if (phase == 2) {
      weightResult.flush();
      if (bias != null) {
        biasResult.flush();
      }
      return;
    }
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
      parts[group].g.pack(task - dw.count(), 0, rows, g.address(group, 0), rows, 1);
      return;
    }
    dw.pack(task, 0, width, weight.address((long) group * rows * width), 1, width);
    if (bias != null) {
      dw.pack(task, width, 1, bias.address((long) group * rows), 1, 1);
    }
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
    long at = (long) group * rows * width + from;
    double sum = move(Math.min(to, width) - from, u, height, weight, weightResult, at, width);
    if (to > width) {
      long last = u + Float.BYTES * (long) (width - from);
      sum += move(1, last, height, bias, biasResult, (long) group * rows, 1);
    }
    inner[group * blocks + block] = sum;
  }

  private double move(int n, long u, int stride, Floats dw, Target to, long at, int toStride) {
    long from = dw.address(at);
    return KfacCpu.kfac_cpu_dot_and_copy(
        rows, n, u, stride, from, toStride, to.memory().address(at));
  }

  /** A row length that does not put all rows into the same lines of a cache. */
  private static int pitch(int columns) {
    return (columns + 15) / 16 * 16 + 16;
  }
}
