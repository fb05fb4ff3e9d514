package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Matrices;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.samples.PatchSamples;

/** Writes out patches, a panel at a time. */
public final class PatchesPlan implements Plan {
  /** Elements of one panel: small, so that its transpose stays in the cache. */
  private static final int PANEL = 1 << 15;

  private final SampleMatrix samples;
  private final CpuMatrixStack target;
  private final int step;
  private final int chunks;

  public PatchesPlan(PatchSamples samples, CpuMatrixStack target) {
    this.samples = SampleMatrix.of(samples);
    this.target = target;
    this.step = Math.max(1, PANEL / target.cols());
    this.chunks = (target.rows() + step - 1) / step;
  }

  @Override
  public int phases() {
    return 1;
  }

  @Override
  public int tasks(int phase) {
    return target.count() * chunks;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    int group = task / chunks;
    int first = task % chunks * step;
    int count = Math.min(step, target.rows() - first);
    int dim = target.cols();
    Panel panel = samples.load(group, first, count, 0, dim, scratch);
    Floats out = target.matrix(group).plus((long) first * dim);
    if (panel.byCoordinate()) {
      Matrices.transpose(panel.data(), panel.stride(), dim, count, out, dim);
    } else {
      for (int r = 0; r < count; r++) {
        out.plus((long) r * dim).copy(panel.data().plus((long) r * panel.stride()), dim);
      }
    }
  }
}
