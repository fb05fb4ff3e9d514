package io.github.kfac4j.layer;

import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A 2-d convolution, weight {@code [outChannels, inChannels/groups, kernelHeight, kernelWidth]}
 * whatever the layout of the images. Depthwise convolution is {@code groups == inChannels}.
 *
 * <p>The factors are those of KFC (Grosse and Martens 2016), one pair for each group.
 *
 * @param inChannels channels of the input
 * @param outChannels channels of the output
 * @param window kernel, stride, padding and dilation
 * @param groups divides both channel counts
 * @param bias whether a bias of shape {@code [outChannels]} is added
 * @param layout of inputs and output gradients
 */
public record Conv2d(
    int inChannels, int outChannels, Window window, int groups, boolean bias, ImageLayout layout)
    implements Layer {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive, the groups do not divide the
   *     channels, or a patch has more elements than an int counts
   */
  public Conv2d {
    if (inChannels <= 0 || outChannels <= 0 || groups <= 0) {
      throw new IllegalArgumentException(
          "channels and groups must be positive but are %d in, %d out, %d groups"
              .formatted(inChannels, outChannels, groups));
    }
    if (inChannels % groups != 0 || outChannels % groups != 0) {
      throw new IllegalArgumentException(
          "groups must divide the channels, but %d does not divide both %d and %d"
              .formatted(groups, inChannels, outChannels));
    }
    inputDim(inChannels, window, groups, bias);
  }

  /** The elements of a patch. */
  static int inputDim(int inChannels, Window window, int groups, boolean bias) {
    return Batches.length(bias, inChannels / groups, window.kernelHeight(), window.kernelWidth());
  }

  /** A convolution of NCHW images with a bias and one group. */
  public static Conv2d of(int inChannels, int outChannels, Window window) {
    return new Conv2d(inChannels, outChannels, window, 1, true, ImageLayout.NCHW);
  }

  /** The same without a bias. */
  public Conv2d withoutBias() {
    return new Conv2d(inChannels, outChannels, window, groups, false, layout);
  }

  /** The same in groups. */
  public Conv2d withGroups(int count) {
    return new Conv2d(inChannels, outChannels, window, count, bias, layout);
  }

  /** The same of images in another layout. */
  public Conv2d withLayout(ImageLayout value) {
    return new Conv2d(inChannels, outChannels, window, groups, bias, value);
  }

  @Override
  public int inputDim() {
    return inputDim(inChannels, window, groups, bias);
  }

  @Override
  public int outputDim() {
    return outChannels / groups;
  }

  @Override
  public boolean readsInputAlone() {
    return true;
  }

  @Override
  public String speciality() {
    return null;
  }

  @Override
  public boolean readsOnDevice() {
    return true;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(outChannels, inChannels / groups, window.kernelHeight(), window.kernelWidth());
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    Shape in = images("input", input, inChannels);
    int rows = layout == ImageLayout.NCHW ? 2 : 1; // columns are the dimension behind it
    int height = in.get(rows);
    int width = in.get(rows + 1);
    Window seen = seen(window, in, height, width);
    Shape out = images("output gradient", outputGrad, outChannels);
    int outHeight = seen.outputHeight(height);
    int outWidth = seen.outputWidth(width);
    if (out.get(0) != in.get(0) || out.get(rows) != outHeight || out.get(rows + 1) != outWidth) {
      throw new IllegalArgumentException(
          "an input of shape %s gives %d examples of %d x %d outputs, but the output gradient has shape %s"
              .formatted(in, in.get(0), outHeight, outWidth, out));
    }
    int examples = in.get(0);
    int positions = outHeight * outWidth; // of a tensor that is there
    Samples g =
        layout == ImageLayout.NCHW
            ? new ChannelSamples(outputGrad, examples, positions, groups, outputDim())
            : new RowSamples(outputGrad, examples, positions, groups, outputDim(), false);
    return new Vectors(
        new PatchSamples(input, examples, inChannels, height, width, layout, seen, groups, bias),
        g);
  }

  /** The window as it is over images of an input. */
  static Window seen(Window window, Shape input, int height, int width) {
    if (window.outputHeight(height) == 0 || window.outputWidth(width) == 0) {
      throw new IllegalArgumentException(
          "input has shape %s, too small for the kernel: %s".formatted(input, window));
    }
    return window.on(height, width);
  }

  private Shape images(String what, Tensor data, int channels) {
    Shape shape = data.shape();
    int channelDim = layout == ImageLayout.NCHW ? 1 : 3;
    if (shape.rank() != 4 || shape.get(channelDim) != channels) {
      String form = layout == ImageLayout.NCHW ? "[N, %d, H, W]" : "[N, H, W, %d]";
      throw new IllegalArgumentException(
          "%s has shape %s, expected %s".formatted(what, shape, form.formatted(channels)));
    }
    Batches.requireExamples(what, shape);
    return shape;
  }
}
