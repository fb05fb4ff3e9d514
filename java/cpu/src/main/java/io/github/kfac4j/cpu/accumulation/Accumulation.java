package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Pool;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;

/** Second moments, each in the way that costs least, all side by side that fit into memory. */
public final class Accumulation {
  /** Memory, in floats, of what is worked on side by side: 64 MiB. */
  static final long SIDE_BY_SIDE = 1 << 24;

  private final Pool pool;
  private final Arena memory;
  private final boolean own;
  private final List<Plan> plans = new ArrayList<>();
  private final List<ConvolutionPlan> convolutions = new ArrayList<>();
  private long floats;

  /**
   * Prepares the verb.
   *
   * @param memory for what tasks share; all of it free
   * @param own whether libkfac_cpu may be used
   */
  public Accumulation(Pool pool, Arena memory, boolean own) {
    this.pool = pool;
    this.memory = memory;
    this.own = own;
  }

  public void run(List<AccumulateRequest> moments) {
    try {
      for (AccumulateRequest moment : moments) {
        CpuMatrixStack target = CpuMatrixStack.of(moment.target());
        PatchSamples patches = own ? patches(moment.samples()) : null;
        if (patches != null) {
          addConvolution(moment, patches, target);
        } else {
          addRows(moment, target);
        }
      }
      flush();
    } finally {
      convolutions.forEach(ConvolutionPlan::close);
    }
  }

  /** Samples as patches, which the channels of images are too, or null. */
  private static PatchSamples patches(Samples samples) {
    if (samples instanceof ChannelSamples s && s.positions() > 1) {
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
    return samples instanceof PatchSamples s ? s : null;
  }

  private void addConvolution(
      AccumulateRequest moment, PatchSamples samples, CpuMatrixStack target) {
    Source source = Source.of(samples.data());
    int size = ((HostTensor) samples.data()).size();
    if (!source.inPlace()) {
      makeRoom(size);
    }
    Floats images = source.view(0, size, memory);
    ConvolutionPlan plan = new ConvolutionPlan(moment, samples, images, target.matrix(0));
    convolutions.add(plan);
    if (source.inPlace()) {
      makeRoom(plan.sharedFloats());
    } else {
      floats += plan.sharedFloats(); // beside the copy, which must stay
    }
    plan.take(memory);
    plans.add(plan);
  }

  private void addRows(AccumulateRequest moment, CpuMatrixStack target) {
    SampleMatrix samples = SampleMatrix.of(moment.samples());
    for (int k = 0; k < target.count(); k++) {
      Panel whole = panels(moment, samples) ? samples.whole(k) : null;
      if (whole == null) {
        makeRoom(MomentPlan.sharedFloats(samples));
        plans.add(new MomentPlan(moment, samples, target.matrix(k), k, memory));
      } else {
        makeRoom(samples.rows * samples.dim);
        plans.add(new PanelMomentPlan(moment, whole, samples.dim, target.matrix(k), memory));
      }
    }
  }

  /** Whether panels pay for samples that lie in place. */
  private boolean panels(AccumulateRequest moment, SampleMatrix samples) {
    return own
        && moment.samples() instanceof RowSamples
        && samples.dim >= PanelMomentPlan.MIN_DIM
        && samples.rows * samples.dim <= SIDE_BY_SIDE;
  }

  /** Counts memory that is about to be taken; runs what was planned if it would be too much. */
  private void makeRoom(long more) {
    if (floats + more > SIDE_BY_SIDE) {
      flush();
    }
    floats += more;
  }

  /** Runs what was planned. */
  private void flush() {
    pool.run(plans);
    plans.clear();
    memory.reset();
    floats = 0;
  }
}
