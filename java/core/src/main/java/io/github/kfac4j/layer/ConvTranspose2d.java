package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A transposed 2-d convolution of NCHW images, weight {@code [inChannels, outChannels/groups,
 * kernelHeight, kernelWidth]}. Output pixel y sees input pixel x through kernel element k where
 * {@code y = x stride - padding + k dilation}.
 *
 * <p>It is the convolution, with stride 1, of the input spread out by zeros, and its factors are
 * those of KFC for that convolution: A over patches of the spread input, in the order (channel,
 * kernel row, kernel column) and with the bias coordinate last; G over the pixels of the output.
 * The spread input is a copy, about as large as the output; its margins are not stored.
 *
 * @param inChannels channels of the input
 * @param outChannels channels of the output
 * @param window as it would slide over the output
 * @param groups divides both channel counts
 * @param bias whether a bias of shape {@code [outChannels]} is added
 */
public record ConvTranspose2d(
    int inChannels, int outChannels, Window window, int groups, boolean bias) implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive or the groups do not divide the
   *     channels
   */
  public ConvTranspose2d {
    new Conv2d(inChannels, outChannels, window, groups, bias, ImageLayout.NCHW);
  }

  /** With a bias and one group. */
  public static ConvTranspose2d of(int inChannels, int outChannels, Window window) {
    return new ConvTranspose2d(inChannels, outChannels, window, 1, true);
  }

  /** The same without a bias. */
  public ConvTranspose2d withoutBias() {
    return new ConvTranspose2d(inChannels, outChannels, window, groups, false);
  }

  /** The same in groups. */
  public ConvTranspose2d withGroups(int count) {
    return new ConvTranspose2d(inChannels, outChannels, window, count, bias);
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
  public Shape weightShape() {
    return Shape.of(inChannels, outputDim(), window.kernelHeight(), window.kernelWidth());
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    HostTensor in = images("input", input, inChannels);
    HostTensor out = images("output gradient", outputGrad, outChannels);
    Axis rows = axis("rows", in, out, 2);
    Axis columns = axis("columns", in, out, 3);
    Window dense =
        new Window(
                window.kernelHeight(),
                window.kernelWidth(),
                1,
                1,
                rows.margin(),
                columns.margin(),
                window.dilationHeight(),
                window.dilationWidth())
            .on(rows.size(), columns.size());
    int examples = in.shape().get(0);
    return new Vectors(
        new PatchSamples(
            spread(in, rows, columns),
            examples,
            inChannels,
            rows.size(),
            columns.size(),
            ImageLayout.NCHW,
            dense,
            groups,
            bias),
        new ChannelSamples(
            reversed(out),
            out.shape().get(0),
            out.shape().get(2) * out.shape().get(3),
            groups,
            outputDim()));
  }

  /**
   * One dimension of the spread input: pixel x lies at {@code x stride + start}.
   *
   * @param size with what a kernel sees beyond the last pixel, without the margins
   * @param margin zeros on both sides that are not stored
   */
  private record Axis(int size, int stride, int start, int margin) {
    /** Where a pixel lies, counted from the other end; maybe outside. */
    long turned(int x) {
      return size - 1 - ((long) x * stride + start);
    }
  }

  private Axis axis(String what, HostTensor in, HostTensor out, int dimension) {
    boolean rows = dimension == 2;
    int stride = rows ? window.strideHeight() : window.strideWidth();
    int padding = rows ? window.paddingHeight() : window.paddingWidth();
    int dilation = rows ? window.dilationHeight() : window.dilationWidth();
    long reach = dilation * ((rows ? window.kernelHeight() : window.kernelWidth()) - 1L);
    long min = (in.shape().get(dimension) - 1L) * stride - 2L * padding + reach + 1;
    long max = min + Math.max(stride, dilation) - 1;
    int actual = out.shape().get(dimension);
    if (actual < min || actual > max) {
      throw new IllegalArgumentException(
          "an input of shape %s gives %d to %d %s, but the output gradient of shape %s has %d"
              .formatted(in.shape(), min, max, what, out.shape(), actual));
    }
    long margin = Math.max(0, reach - padding);
    long size = actual + reach - 2 * margin;
    if (actual + reach > Window.LARGEST_EXTENT) {
      throw new IllegalArgumentException(
          "%d %s of outputs, which the kernel sees from up to %d beyond, are not possible: %s"
              .formatted(actual, what, reach, window));
    }
    return new Axis((int) size, stride, (int) (reach - padding - margin), (int) margin);
  }

  /**
   * The input with zeros between and behind its pixels, turned by half a circle: so turned, the
   * kernel's elements come in the order of the weight.
   */
  private HostTensor spread(HostTensor in, Axis down, Axis across) {
    int rows = in.shape().get(2);
    int cols = in.shape().get(3);
    int planes = in.shape().get(0) * inChannels;
    long elements = (long) down.size() * across.size() * planes;
    if (elements > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "an input of shape %s, spread out to %d x %d, has %d elements, and at most %d are possible"
              .formatted(in.shape(), down.size(), across.size(), elements, Integer.MAX_VALUE));
    }
    int width = across.size();
    HostTensor spread =
        HostTensor.like(in, in.shape().get(0), inChannels, down.size(), across.size());
    double[] plane = new double[rows * cols];
    double[] wide = new double[down.size() * width];
    for (int p = 0; p < planes; p++) {
      in.read(p * plane.length, plane, 0, plane.length);
      for (int y = 0; y < rows; y++) {
        long row = down.turned(y);
        for (int x = 0; x < cols; x++) {
          long col = across.turned(x);
          if (row >= 0 && row < down.size() && col >= 0 && col < width) {
            wide[(int) row * width + (int) col] = plane[y * cols + x];
          }
        }
      }
      spread.write(p * wide.length, wide, 0, wide.length);
    }
    return spread;
  }

  private static HostTensor reversed(HostTensor images) {
    Shape s = images.shape();
    HostTensor turned = HostTensor.like(images, s.get(0), s.get(1), s.get(2), s.get(3));
    double[] plane = new double[s.get(2) * s.get(3)];
    double[] back = new double[plane.length];
    for (int p = 0; p < s.get(0) * s.get(1); p++) {
      images.read(p * plane.length, plane, 0, plane.length);
      for (int i = 0; i < plane.length; i++) {
        back[i] = plane[plane.length - 1 - i];
      }
      turned.write(p * plane.length, back, 0, plane.length);
    }
    return turned;
  }

  @Override
  public Gradient matrix(Tensor weight, Tensor bias) {
    HostTensor source = Batches.host("weight gradient", weight);
    HostTensor matrix = HostTensor.like(source, source.size());
    exchange(source, matrix, true);
    return new Gradient(matrix, bias);
  }

  @Override
  public void store(Gradient matrix, Tensor weight, Tensor bias) {
    exchange((HostTensor) weight, (HostTensor) matrix.weight(), false);
  }

  /** Copies between {@code [groups, in, out, k]} and {@code [groups, out, in, k]}. */
  private void exchange(HostTensor weight, HostTensor matrix, boolean toMatrix) {
    int kernel = window.kernelHeight() * window.kernelWidth();
    int ins = inChannels / groups;
    int outs = outputDim();
    double[] element = new double[kernel];
    for (int k = 0; k < groups; k++) {
      for (int i = 0; i < ins; i++) {
        for (int o = 0; o < outs; o++) {
          int inWeight = ((k * ins + i) * outs + o) * kernel;
          int inMatrix = ((k * outs + o) * ins + i) * kernel;
          if (toMatrix) {
            weight.read(inWeight, element, 0, kernel);
            matrix.write(inMatrix, element, 0, kernel);
          } else {
            matrix.read(inMatrix, element, 0, kernel);
            weight.write(inWeight, element, 0, kernel);
          }
        }
      }
    }
  }

  private static HostTensor images(String what, Tensor data, int channels) {
    Shape shape = data.shape();
    if (shape.rank() != 4 || shape.get(1) != channels) {
      throw new IllegalArgumentException(
          "%s has shape %s, expected [N, %d, H, W]".formatted(what, shape, channels));
    }
    Batches.requireExamples(what, shape);
    return Batches.host(what, data);
  }
}
