package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.Tensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The convolutions that are checked; their data is null until a {@link Side} supplies it. */
public final class Shapes {
  private Shapes() {}

  /** Random symmetric {@code n x n} matrices, one after the other. */
  static double[] symmetric(Random random, int count, int n) {
    return Literal.symmetric(Fixtures.gaussian(random, count * n * n), n);
  }

  /** A convolution and its name in the table. */
  record Convolution(String name, PatchSamples samples) {}

  /** The number of elements that the data of such samples has. */
  static int size(Samples samples) {
    if (samples instanceof PatchSamples s) {
      return s.examples() * s.channels() * s.height() * s.width();
    }
    int bias = samples instanceof RowSamples s && s.bias() ? 1 : 0;
    return (int) samples.rows() * samples.groups() * (samples.dim() - bias);
  }

  /** The same samples of given data. */
  static Samples with(Samples samples, Tensor data) {
    if (samples instanceof PatchSamples s) {
      return with(s, data);
    }
    if (samples instanceof RowSamples s) {
      return new RowSamples(data, s.examples(), s.positions(), s.groups(), s.width(), s.bias());
    }
    ChannelSamples s = (ChannelSamples) samples;
    return new ChannelSamples(data, s.examples(), s.positions(), s.groups(), s.dim());
  }

  /** The same patches of given images. */
  public static PatchSamples with(PatchSamples s, Tensor data) {
    return new PatchSamples(
        data,
        s.examples(),
        s.channels(),
        s.height(),
        s.width(),
        s.layout(),
        s.window(),
        s.groups(),
        s.bias());
  }

  /** For example {@code stride 2x1, padding 1x2, dilation 1x1}. */
  static String describe(Window w) {
    return "stride %dx%d, padding %dx%d, dilation %dx%d"
        .formatted(
            w.strideHeight(),
            w.strideWidth(),
            w.paddingHeight(),
            w.paddingWidth(),
            w.dilationHeight(),
            w.dilationWidth());
  }

  /** Every stride, padding and dilation of a 3x2 kernel on 9x7 images, for one grouping. */
  static List<PatchSamples> sweep(ImageLayout layout, int groups) {
    List<PatchSamples> all = new ArrayList<>();
    for (int[] stride : new int[][] {{1, 1}, {2, 1}, {3, 2}}) {
      for (int[] padding : new int[][] {{0, 0}, {1, 2}, {2, 0}}) {
        for (int[] dilation : new int[][] {{1, 1}, {1, 2}, {3, 1}}) {
          Window window =
              Window.of(3, 2)
                  .withStride(stride[0], stride[1])
                  .withPadding(padding[0], padding[1])
                  .withDilation(dilation[0], dilation[1]);
          boolean bias = (groups + stride[0] + padding[0] + dilation[1]) % 2 == 0;
          all.add(new PatchSamples(null, 3, 6, 9, 7, layout, window, groups, bias));
        }
      }
    }
    return all;
  }

  /** Shapes of their own: a kernel larger than its image, 1x1, in NHWC. */
  static List<Convolution> single() {
    PatchSamples channelsLast =
        new PatchSamples(
            null, 4, 5, 12, 11, ImageLayout.NHWC, Window.of(7, 7).withPadding(3, 3), 1, false);
    return List.of(
        same("5x5 kernel on 2x3 images", 2, 3, 2, 3, 5, 1, 1),
        same("1x1 kernel, 13 channels, 1x1 images", 2, 13, 1, 1, 1, 1, 1),
        same("3x3 kernel, 8 channels, 15x16 images", 2, 8, 15, 16, 3, 1, 1),
        new Convolution("7x7 kernel, 5 channels, 12x11 images, NHWC", channelsLast));
  }

  /** Larger ones: strided, deep, depthwise. */
  static List<Convolution> deep() {
    return List.of(
        same("7x7 kernel, stride 2, 3 channels, 32x32 images", 2, 3, 32, 32, 7, 2, 1),
        same("3x3 kernel, 64 channels, 14x14 images", 4, 64, 14, 14, 3, 1, 1),
        same("3x3 kernel, 32 channels, depthwise, 13x11 images", 3, 32, 13, 11, 3, 1, 32));
  }

  /** The convolutions of the Simple CNN of Shallue et al. on Fashion-MNIST. */
  static List<Convolution> fashionMnist() {
    return List.of(
        same("Fashion-MNIST CNN, convolution 1", 8, 1, 28, 28, 5, 1, 1),
        same("Fashion-MNIST CNN, convolution 2", 8, 32, 14, 14, 5, 1, 1));
  }

  /** Convolutions of ResNet-50. */
  static List<Convolution> resnet50() {
    return List.of(
        same("ResNet-50, first convolution", 1, 3, 224, 224, 7, 2, 1),
        same("ResNet-50, 3x3 on 56x56", 1, 64, 56, 56, 3, 1, 1),
        same("ResNet-50, 1x1 on 56x56, stride 2", 1, 256, 56, 56, 1, 2, 1),
        same("ResNet-50, 3x3 on 14x14", 2, 256, 14, 14, 3, 1, 1),
        same("ResNet-50, 3x3 on 7x7", 2, 512, 7, 7, 3, 1, 1));
  }

  private static Convolution same(
      String name,
      int examples,
      int channels,
      int height,
      int width,
      int kernel,
      int stride,
      int groups) {
    int half = kernel / 2;
    Window window = Window.of(kernel, kernel).withPadding(half, half).withStride(stride, stride);
    return new Convolution(
        name,
        new PatchSamples(
            null, examples, channels, height, width, ImageLayout.NCHW, window, groups, true));
  }
}
