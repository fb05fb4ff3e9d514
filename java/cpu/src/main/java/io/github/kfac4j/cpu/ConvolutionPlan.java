package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.ImageLayout;
import io.github.kfac4j.backend.Moment;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.backend.Window;

/**
 * The second moment of one group's patches without the patches, by libkfac_cpu: from correlations
 * of the images, which a stride and dilation of 1 make possible.
 */
final class ConvolutionPlan implements Plan, AutoCloseable {
  private static final int CHEAPEST = 0;

  private final Floats images;
  private final Floats target;
  private long plan;
  private Floats shared;

  private ConvolutionPlan(Floats images, Floats target, long plan) {
    this.images = images;
    this.target = target;
    this.plan = plan;
  }

  /** Whether the samples can be taken at all this way. */
  static boolean fits(PatchSamples samples) {
    Window w = samples.window();
    return w.equals(
        Window.of(w.kernelHeight(), w.kernelWidth())
            .withPadding(w.paddingHeight(), w.paddingWidth()));
  }

  /**
   * A plan for one group, to be closed; null if patches are cheaper.
   *
   * @param images the data, whole
   */
  static ConvolutionPlan of(
      Moment moment, PatchSamples samples, Floats images, Floats target, int group) {
    boolean nchw = samples.layout() == ImageLayout.NCHW;
    Window window = samples.window();
    int area = samples.height() * samples.width();
    int channels = samples.groupChannels();
    Floats first = images.plus((long) group * channels * (nchw ? area : 1));
    long[] convolution = {
      samples.examples(),
      channels,
      samples.height(),
      samples.width(),
      (long) samples.channels() * area,
      nchw ? area : 1,
      nchw ? 1 : samples.channels(),
      window.kernelHeight(),
      window.kernelWidth(),
      window.paddingHeight(),
      window.paddingWidth(),
      samples.bias() ? 1 : 0
    };
    long plan =
        KfacCpu.kfac_cpu_patch_moment(
            convolution,
            first.address(),
            moment.decay(),
            moment.weight(),
            target.address(),
            CHEAPEST);
    return plan == 0 ? null : new ConvolutionPlan(first, target, plan);
  }

  /** Floats of {@link #take}. */
  long sharedFloats() {
    return KfacCpu.kfac_cpu_plan_shared(plan) + Arena.ALIGNMENT;
  }

  /** Takes the memory that all tasks share. */
  void take(Arena arena) {
    shared = arena.take(sharedFloats());
  }

  @Override
  public int phases() {
    return KfacCpu.kfac_cpu_plan_phases(plan);
  }

  @Override
  public int tasks(int phase) {
    return KfacCpu.kfac_cpu_plan_tasks(plan, phase);
  }

  @Override
  public long scratchFloats() {
    return KfacCpu.kfac_cpu_plan_scratch(plan) + Arena.ALIGNMENT;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    Floats own = scratch.take(scratchFloats());
    KfacCpu.kfac_cpu_plan_run(plan, phase, task, aligned(shared), aligned(own));
  }

  private static long aligned(Floats memory) {
    long bytes = (long) Arena.ALIGNMENT * Float.BYTES;
    return (memory.address() + bytes - 1) / bytes * bytes;
  }

  @Override
  public void close() {
    if (plan != 0) {
      KfacCpu.kfac_cpu_plan_free(plan);
      plan = 0;
    }
  }
}
