package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Moment;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.backend.RowSamples;
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
        if (!own
            || !(moment.samples() instanceof PatchSamples patches)
            || !convolution(moment, patches, target)) {
          rows.add(moment);
        }
      }
      runConvolutions();
    } finally {
      convolutions.forEach(ConvolutionPlan::close);
    }
    runRows(rows);
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

  /** Plans a moment without patches; false if it needs them or they are cheaper. */
  private boolean convolution(Moment moment, PatchSamples samples, CpuMatrixStack target) {
    if (!ConvolutionPlan.fits(samples)) {
      return false;
    }
    Source source = Source.of(samples.data());
    if (!source.inPlace()) {
      runConvolutions();
    }
    Floats images = source.view(0, ((HostTensor) samples.data()).size(), memory);
    for (int k = 0; k < target.count(); k++) {
      ConvolutionPlan plan = ConvolutionPlan.of(moment, samples, images, target.matrix(k), k);
      if (plan == null) {
        return false; // as are all its groups, which have the same sizes
      }
      if (source.inPlace() && floats + plan.sharedFloats() > SIDE_BY_SIDE) {
        runConvolutions();
      }
      convolutions.add(plan);
      floats += plan.sharedFloats();
    }
    if (!source.inPlace()) {
      runConvolutions();
    }
    return true;
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
