package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.ImageLayout;
import io.github.kfac4j.backend.Moment;
import io.github.kfac4j.backend.PatchSamples;
import io.github.kfac4j.backend.Window;

/**
 * The second moment of one group's patches without the patches, by libkfac_cpu: from correlations
 * of the images, which a stride and dilation of 1 make possible.
 */
final class ConvolutionPlan extends NativePlan {
  private static final int CHEAPEST = 0;

  private final Floats images;
  private final Floats target;
  private final double work;

  private ConvolutionPlan(Floats images, Floats target, double work, long plan) {
    super(plan);
    this.work = work;
    this.images = images;
    this.target = target;
  }

  @Override
  public double work() {
    return work;
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
    double patches = (double) samples.rows() * samples.dim() * samples.dim() / 2;
    return plan == 0 ? null : new ConvolutionPlan(first, target, patches, plan);
  }
}
