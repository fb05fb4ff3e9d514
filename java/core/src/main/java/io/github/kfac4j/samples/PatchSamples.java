package io.github.kfac4j.samples;

import io.github.kfac4j.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * The zero-padded patches that a convolution's kernel sees. Data has shape {@code [examples,
 * channels, height, width]} or, for {@link ImageLayout#NHWC}, {@code [examples, height, width,
 * channels]}. A patch of group {@code k} holds the group's channels in the order (channel, kernel
 * row, kernel column), as the weight {@code [out, in/groups, kh, kw]} is flattened, then a bias
 * coordinate of value 1 if {@code bias}. Patches need never be stored: implementations gather them
 * as they go.
 */
public record PatchSamples(
    Tensor data,
    int examples,
    int channels,
    int height,
    int width,
    ImageLayout layout,
    Window window,
    int groups,
    boolean bias)
    implements Samples {

  /** Channels of one group. */
  public int groupChannels() {
    return channels / groups;
  }

  /** Output rows of the convolution. */
  public int outputHeight() {
    return window.outputHeight(height);
  }

  /** Output columns of the convolution. */
  public int outputWidth() {
    return window.outputWidth(width);
  }

  @Override
  public int positions() {
    return outputHeight() * outputWidth();
  }

  @Override
  public int dim() {
    return groupChannels() * window.kernelHeight() * window.kernelWidth() + (bias ? 1 : 0);
  }

  @Override
  public PatchSamples map(UnaryOperator<Tensor> change, int count) {
    return new PatchSamples(
        change.apply(data), count, channels, height, width, layout, window, groups, bias);
  }
}
