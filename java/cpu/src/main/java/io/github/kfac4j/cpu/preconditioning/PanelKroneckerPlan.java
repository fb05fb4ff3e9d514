package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.matrix.Target;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.Panels;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Plan;
import java.util.Arrays;

/**
 * Preconditioning by two inverses on libkfac_cpu, for each group {@code U' = A^-1 (dW' G^-1)} or
 * through the batch {@code U' = (A^-1 a') (g G^-1)}, whichever takes fewer operations. What stands
 * to the right is packed first; then each task takes some rows of {@code A^-1}, which is read once
 * and where it lies, all the way to the result.
 */
public final class PanelKroneckerPlan implements Plan {
  /** Multiplications that are worth a task: some ten microseconds. */
  private static final double TASK_WORK = 2e6;

  /** Each task reads all panels, so that many tasks would only read. */
  private static final int MAX_TASKS = 16;

  private static final int MIN_TASK_ROWS = 14;

  private final int groups;
  private final int rows;
  private final int cols;
  private final int width;
  private final boolean throughBatch;
  private final int middle;
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

  /** What the tasks of one group share. */
  private record OneGroup(Panel aSamples, Panel gSamples, Panels first, Panels g, Panels second) {}

  public PanelKroneckerPlan(PreconditionRequest step, Arena shared) {
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
    OuterProduct product = step.outerProduct();
    this.throughBatch = ThroughBatch.isCheaper(product, rows, cols);
    this.middle = throughBatch ? (int) product.g().rows() : rows;
    this.alpha = (float) (throughBatch ? step.scale() * product.weight() : step.scale());
    this.parts = new OneGroup[groups];
    for (int k = 0; k < groups; k++) {
      parts[k] =
          new OneGroup(
              throughBatch ? load(product.a(), k, shared) : null,
              throughBatch ? load(product.g(), k, shared) : null,
              new Panels(cols, middle, shared),
              throughBatch ? new Panels(rows, middle, shared) : null,
              new Panels(middle, rows, shared));
    }
    this.work = (double) cols * middle * (cols + rows);
    int most = Math.min(MAX_TASKS, cols / MIN_TASK_ROWS);
    this.blocks = (int) Math.max(1, Math.min(most, work / TASK_WORK));
    this.inner = new double[groups * blocks];
  }

  /** The samples without the bias coordinate, which need not be read. */
  private static Panel load(Samples samples, int group, Arena shared) {
    SampleMatrix matrix = SampleMatrix.of(samples);
    return matrix.load(group, 0, (int) samples.rows(), 0, withoutOnes(samples), shared);
  }

  private static int withoutOnes(Samples samples) {
    return samples instanceof RowSamples r && r.bias() ? samples.dim() - 1 : samples.dim();
  }

  /** The inner product of U and dW, once the plan has run. */
  public double inner() {
    return Arrays.stream(inner).sum();
  }

  @Override
  public int phases() {
    return last() + (flushes() ? 2 : 1);
  }

  private boolean flushes() {
    return !weightResult.inPlace() || (bias != null && !biasResult.inPlace());
  }

  /** The phase that makes the result. */
  private int last() {
    return throughBatch ? 2 : 1;
  }

  @Override
  public int tasks(int phase) {
    OneGroup one = parts[0];
    if (phase > last()) {
      return 1;
    }
    if (phase == last()) {
      return groups * blocks;
    }
    if (phase == 1) {
      return groups * one.second.count();
    }
    return groups * (one.first.count() + (throughBatch ? one.g : one.second).count());
  }

  @Override
  public double work() {
    return groups * work;
  }

  @Override
  public long scratchFloats() {
    int height = cols / blocks + 1;
    return (long) height * (pitch(middle) + rows) + 4L * rows + 2 * Floats.ALIGNMENT;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    if (phase > last()) {
      weightResult.flush();
      if (bias != null) {
        biasResult.flush();
      }
      return;
    }
    int each = tasks(phase) / groups;
    int group = task / each;
    int part = task % each;
    if (phase == last()) {
      precondition(group, part, scratch);
    } else if (phase == 1) {
      project(group, part);
    } else if (throughBatch) {
      packSamples(group, part);
    } else {
      packGradient(group, part);
    }
  }

  private void packGradient(int group, int task) {
    Panels first = parts[group].first;
    if (task >= first.count()) {
      parts[group].second.pack(task - first.count(), 0, rows, g.address(group, 0), rows, 1);
      return;
    }
    first.pack(task, 0, width, weight.address((long) group * rows * width), 1, width);
    if (bias != null) {
      first.pack(task, width, 1, bias.address((long) group * rows), 1, 1);
    }
  }

  private void packSamples(int group, int task) {
    OneGroup one = parts[group];
    int count = one.first.count();
    if (task >= count) {
      packSamples(one.gSamples, one.g, rows, task - count);
    } else {
      packSamples(one.aSamples, one.first, cols, task);
    }
  }

  private static void packSamples(Panel samples, Panels panels, int dim, int panel) {
    long row = samples.byCoordinate() ? samples.stride() : 1;
    long column = samples.byCoordinate() ? 1 : samples.stride();
    panels.pack(panel, 0, samples.width(), samples.data().address(), row, column);
    if (samples.width() < dim) {
      panels.fill(panel, dim - 1, 1, 1);
    }
  }

  /** One panel of {@code g G^-1}. */
  private void project(int group, int panel) {
    Panels second = parts[group].second;
    long inverse = g.address(group, (long) second.first(panel) * rows);
    parts[group].g.multiply(
        second.columns(panel), inverse, rows, 1, second.row(panel, 0), 1, second.width());
  }

  /** Some columns of U, from rows of {@code A^-1}. */
  private void precondition(int group, int block, Arena scratch) {
    int from = (int) ((long) cols * block / blocks);
    int to = (int) ((long) cols * (block + 1) / blocks);
    int height = to - from;
    long half = scratch.takeAddress((long) height * pitch(middle));
    long u = scratch.takeAddress((long) height * rows);
    long inverse = a.address(group, (long) from * cols);
    parts[group].first.multiply(height, inverse, cols, 1, half, pitch(middle), 1);
    parts[group].second.multiply(height, half, pitch(middle), alpha, u, 1, height);
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
