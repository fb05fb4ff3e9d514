package io.github.kfac4j.benchmarks.cases;

import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.samples.Window;

/** One layer of a network: a dense layer, or a square convolution of square images. */
public record LayerShape(
    String name,
    String type,
    int in,
    int out,
    int kernel,
    int stride,
    int padding,
    int size,
    boolean bias) {

  /** The layer as the library knows it. */
  public Layer toLayer() {
    if (!isConv()) {
      return new Dense(in, out, bias);
    }
    Window window =
        Window.of(kernel, kernel).withStride(stride, stride).withPadding(padding, padding);
    return new Conv2d(in, out, window, 1, bias, Conv2d.of(in, out, window).layout());
  }

  /** It as a case of its own: a convolution's factor. */
  public ConvCase patches(int batch) {
    return new ConvCase(
        Case.CONV_FACTOR,
        name,
        "",
        null,
        null,
        null,
        batch,
        in,
        size,
        kernel,
        stride,
        padding,
        bias);
  }

  /** Whether it is a convolution. */
  public boolean isConv() {
    return type.equals("conv2d");
  }

  /** The shape of its input. */
  public int[] inputShape(int batch) {
    return isConv() ? new int[] {batch, in, size, size} : new int[] {batch, in};
  }

  /** The shape of the gradient at its output. */
  public int[] outputShape(int batch) {
    int o = isConv() ? (size + 2 * padding - kernel) / stride + 1 : 0;
    return isConv() ? new int[] {batch, out, o, o} : new int[] {batch, out};
  }

  /** Columns of its weight as a matrix, without the bias. */
  public int cols() {
    return isConv() ? in * kernel * kernel : in;
  }
}
