package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.cpu.matrix.Matrices;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.Panels;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.scheduling.Plan;

/**
 * The second moment of one group of samples that lie in place, on libkfac_cpu: they are packed
 * once, then each task forms some rows of the lower triangle and copies them to the upper.
 */
final class PanelMomentPlan implements Plan {
  /** Coordinates below which there would be too few tasks, and much padding. */
  static final int MIN_DIM = 128;

  private final Panel samples;
  private final Floats target;
  private final double decay;
  private final double weight;
  private final int dim;
  private final Panels panels;

  /**
   * A plan for samples that may lack the last coordinate, which then is the bias.
   *
   * @param memory shared by all tasks
   */
  PanelMomentPlan(AccumulateRequest moment, Panel samples, int dim, Floats target, Arena memory) {
    this.samples = samples;
    this.target = target;
    this.decay = moment.decay();
    this.weight = moment.weight();
    this.dim = dim;
    this.panels = new Panels(samples.count(), dim, memory);
  }

  @Override
  public int phases() {
    return 2;
  }

  @Override
  public int tasks(int phase) {
    return panels.count();
  }

  @Override
  public double work() {
    return (double) samples.count() * dim * dim / 2;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    if (phase == 0) {
      pack(task);
    } else {
      rows(panels.count() - 1 - task);
    }
  }

  private void pack(int panel) {
    int count = samples.count();
    long row = samples.byCoordinate() ? 1 : samples.stride();
    long column = samples.byCoordinate() ? samples.stride() : 1;
    panels.pack(panel, 0, count, samples.data().address(), row, column, samples.width());
    if (samples.width() < dim && panel == panels.count() - 1) {
      panels.fillColumn(panel, samples.width() - panels.first(panel), 1);
    }
  }

  /** The rows of the triangle whose coordinates are those of a panel, which is read as A. */
  private void rows(int panel) {
    int from = panels.first(panel);
    int height = panels.columns(panel);
    long c = target.address((long) from * dim);
    int to = from + height;
    panels.multiplyShort(height, to, panels.row(panel, 0), panels.width(), weight, decay, c, dim);
    KfacCpu.kfac_cpu_transpose(height, from, c, dim, target.address(from), dim);
    Matrices.mirrorBlock(target, from, height, dim);
  }
}
