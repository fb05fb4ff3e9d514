package io.github.kfac4j.layer;

import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A 1-d convolution of sequences {@code [N, inChannels, L]}, weight {@code [outChannels,
 * inChannels/groups, kernel]}: a {@link Conv2d} of images of one row.
 *
 * @param inChannels channels of the input
 * @param outChannels channels of the output
 * @param window its height is 1, see {@link #window(int, int, int, int)}
 * @param groups divides both channel counts
 * @param bias whether a bias of shape {@code [outChannels]} is added
 */
public record Conv1d(int inChannels, int outChannels, Window window, int groups, boolean bias)
    implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive, the groups do not divide the
   *     channels or the window has a height
   */
  public Conv1d {
    new Conv2d(inChannels, outChannels, window, groups, bias, ImageLayout.NCHW);
    if (window.kernelHeight() != 1 || window.strideHeight() != 1 || window.paddingHeight() != 0) {
      throw new IllegalArgumentException(
          "the window of a 1-d convolution has height 1, stride 1 and padding 0 there, but is "
              + window);
    }
  }

  /** With a bias and one group. */
  public static Conv1d of(int inChannels, int outChannels, Window window) {
    return new Conv1d(inChannels, outChannels, window, 1, true);
  }

  /** The same without a bias. */
  public Conv1d withoutBias() {
    return new Conv1d(inChannels, outChannels, window, groups, false);
  }

  /** The same in groups. */
  public Conv1d withGroups(int count) {
    return new Conv1d(inChannels, outChannels, window, count, bias);
  }

  /** A window along the sequence. */
  public static Window window(int kernel, int stride, int padding, int dilation) {
    return new Window(1, kernel, 1, stride, 0, padding, 1, dilation);
  }

  @Override
  public int inputDim() {
    return Conv2d.inputDim(inChannels, window, groups, bias);
  }

  @Override
  public int outputDim() {
    return outChannels / groups;
  }

  @Override
  public boolean readsOnDevice() {
    return true;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(outChannels, inChannels / groups, window.kernelWidth());
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    Shape in = sequences("input", input, inChannels);
    Window seen = Conv2d.seen(window, in, 1, in.get(2));
    Shape out = sequences("output gradient", outputGrad, outChannels);
    ImageLayout layout = ImageLayout.NCHW;
    return new Vectors(
        new PatchSamples(input, in.get(0), inChannels, 1, in.get(2), layout, seen, groups, bias),
        new ChannelSamples(outputGrad, out.get(0), out.get(2), groups, outputDim()));
  }

  private static Shape sequences(String what, Tensor data, int channels) {
    Shape shape = data.shape();
    if (shape.rank() != 3 || shape.get(1) != channels) {
      throw new IllegalArgumentException(
          "%s has shape %s, expected [N, %d, L]".formatted(what, shape, channels));
    }
    Batches.requireExamples(what, shape);
    return shape;
  }
}
