package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Moment;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;

/** Second moments, each in the way that costs least. */
final class Accumulation {
  /** Memory, in floats, of convolutions that are worked on side by side: 64 MiB. */
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
    List<Plan> others = new ArrayList<>();
    try {
      for (Moment moment : moments) {
        CpuMatrixStack target = CpuMatrixStack.of(moment.target());
        if (!own
            || !(moment.samples() instanceof PatchSamples patches)
            || !convolution(moment, patches, target)) {
          SampleMatrix samples = SampleMatrix.of(moment.samples());
          for (int k = 0; k < target.count(); k++) {
            others.add(new MomentPlan(moment, samples, target.matrix(k), k));
          }
        }
      }
      runConvolutions();
    } finally {
      convolutions.forEach(ConvolutionPlan::close);
    }
    pool.run(others);
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
