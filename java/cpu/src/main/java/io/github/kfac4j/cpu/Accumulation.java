package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.ChannelSamples;
import io.github.kfac4j.backend.ImageLayout;
import io.github.kfac4j.backend.Moment;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.backend.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;

/** Second moments, each in the way that costs least. */
final class Accumulation {
  /** Memory, in floats, of what is worked on side by side: 64 MiB. */
  private static final long SIDE_BY_SIDE = 1 << 24;

  private final Pool pool;
  private final Arena memory;
  private final boolean own;
  private final List<ConvolutionPlan> convolutions = new ArrayList<>();
  private long floats;

  /**
   * Prepares the verb.
   *
   * @param memory for what tasks share; all of it free
   * @param own whether libkfac_cpu may be used
   */
  Accumulation(Pool pool, Arena memory, boolean own) {
    this.pool = pool;
    this.memory = memory;
    this.own = own;
  }

  void run(List<Moment> moments) {
    List<Moment> rows = new ArrayList<>();
    try {
      for (Moment moment : moments) {
        CpuMatrixStack target = CpuMatrixStack.of(moment.target());
        PatchSamples patches = own ? patches(moment.samples()) : null;
        if (patches != null) {
          plan(moment, patches, target);
        } else {
          rows.add(moment);
        }
      }
      runConvolutions();
    } finally {
      convolutions.forEach(ConvolutionPlan::close);
    }
    runRows(rows);
  }

  /** Samples as patches of images: vectors across channels are those of a 1 x 1 kernel; or null. */
  private static PatchSamples patches(Samples samples) {
    if (samples instanceof ChannelSamples s) {
      int channels = s.groups() * s.dim();
      Window pixel = Window.of(1, 1);
      return new PatchSamples(
          s.data(),
          s.examples(),
          channels,
          1,
          s.positions(),
          ImageLayout.NCHW,
          pixel,
          s.groups(),
          false);
    }
    return samples instanceof PatchSamples p ? p : null;
  }

  private void runRows(List<Moment> moments) {
    List<Plan> plans = new ArrayList<>();
    for (Moment moment : moments) {
      CpuMatrixStack target = CpuMatrixStack.of(moment.target());
      SampleMatrix samples = SampleMatrix.of(moment.samples());
      for (int k = 0; k < target.count(); k++) {
        Panel whole = panels(moment, samples) ? samples.whole(k) : null;
        if (whole == null) {
          plans.add(new MomentPlan(moment, samples, target.matrix(k), k));
          continue;
        }
        long packed = samples.rows * samples.dim;
        if (floats + packed > SIDE_BY_SIDE) {
          pool.run(plans);
          plans.clear();
          memory.reset();
          floats = 0;
        }
        floats += packed;
        plans.add(new PanelMomentPlan(moment, whole, samples.dim, target.matrix(k), memory));
      }
    }
    pool.run(plans);
  }

  /** Whether panels pay for samples that lie in place. */
  private boolean panels(Moment moment, SampleMatrix samples) {
    return own
        && moment.samples() instanceof RowSamples
        && samples.dim >= PanelMomentPlan.LEAST
        && samples.rows * samples.dim <= SIDE_BY_SIDE;
  }

  private void plan(Moment moment, PatchSamples samples, CpuMatrixStack target) {
    Source source = Source.of(samples.data());
    if (!source.inPlace()) {
      runConvolutions();
    }
    Floats images = source.view(0, ((HostTensor) samples.data()).size(), memory);
    ConvolutionPlan plan = new ConvolutionPlan(moment, samples, images, target.matrix(0));
    if (source.inPlace() && floats + plan.sharedFloats() > SIDE_BY_SIDE) {
      runConvolutions();
    }
    convolutions.add(plan);
    floats += plan.sharedFloats();
    if (!source.inPlace()) {
      runConvolutions();
    }
  }

  private void runConvolutions() {
    convolutions.forEach(plan -> plan.take(memory));
    pool.run(convolutions);
    convolutions.forEach(ConvolutionPlan::close);
    convolutions.clear();
    memory.reset();
    floats = 0;
  }
}
