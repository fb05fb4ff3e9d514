package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.NativePlan;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import java.util.List;

/**
 * The second moments of a convolution's patches, all groups, by libkfac_cpu, which never stores
 * them and chooses the cheapest way.
 */
final class ConvolutionPlan extends NativePlan {
  private static final int CHEAPEST = 0;

  private final double work;

  /** Kept from the collector until the last task ends. */
  private final List<Floats> memory;

  /** Plans the moments of images, whole, into the matrices from {@code target} on. */
  ConvolutionPlan(AccumulateRequest moment, PatchSamples samples, Floats images, Floats target) {
    super(
        KfacCpu.kfac_cpu_accumulate_plan(
            convolution(samples),
            images.address(),
            moment.decay(),
            moment.weight(),
            target.address(),
            CHEAPEST));
    this.memory = List.of(images, target);
    this.work = (double) samples.groups() * samples.rows() * samples.dim() * samples.dim() / 2;
  }

  @Override
  public double work() {
    return work;
  }

  /** The structure {@code kfac_cpu_patch_samples}. */
  private static long[] convolution(PatchSamples samples) {
    boolean nchw = samples.layout() == ImageLayout.NCHW;
    Window window = samples.window();
    int area = samples.height() * samples.width();
    return new long[] {
      samples.examples(),
      samples.groups(),
      samples.groupChannels(),
      samples.height(),
      samples.width(),
      (long) samples.channels() * area,
      nchw ? area : 1,
      nchw ? 1 : samples.channels(),
      window.kernelHeight(),
      window.kernelWidth(),
      window.strideHeight(),
      window.strideWidth(),
      window.paddingHeight(),
      window.paddingWidth(),
      window.dilationHeight(),
      window.dilationWidth(),
      samples.bias() ? 1 : 0
    };
  }
}
