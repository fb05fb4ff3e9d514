package io.github.kfac4j.benchmarks.cases;

import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Square images [examples, channels, size, size] under a square kernel. */
public record ConvCase(
    String verb,
    String name,
    String set,
    String backend,
    Map<String, Double> targets,
    List<String> without,
    int examples,
    int channels,
    int size,
    int kernel,
    int stride,
    int padding,
    boolean bias)
    implements Case {

  /** Elements of the images. */
  public int elements() {
    return examples * channels * size * size;
  }

  /** The shape of the images. */
  public int[] shape() {
    return new int[] {examples, channels, size, size};
  }

  /** Rows, and columns, of the convolution's output. */
  public int outputSize() {
    return (size + 2 * padding - kernel) / stride + 1;
  }

  /** The dimension of a patch with its bias coordinate. */
  public int dim() {
    return channels * kernel * kernel + (bias ? 1 : 0);
  }

  /** All patches. */
  public int rows() {
    return examples * outputSize() * outputSize();
  }

  /** The patches that the kernel sees. */
  public PatchSamples patches(Tensor images, int examples) {
    return new PatchSamples(
        images, examples, channels, size, size, ImageLayout.NCHW, window(), 1, bias);
  }

  private Window window() {
    return Window.of(kernel, kernel).withStride(stride, stride).withPadding(padding, padding);
  }
}
