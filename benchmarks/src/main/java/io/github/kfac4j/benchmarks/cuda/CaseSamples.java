package io.github.kfac4j.benchmarks.cuda;

import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_F32;

import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.cuda.natives.kfac_samples;
import org.bytedeco.javacpp.FloatPointer;

/** The samples of a case as the kernels see them. */
final class CaseSamples {
  private CaseSamples() {}

  /** The patches of NCHW images. */
  static kfac_samples of(ConvCase c, FloatPointer images) {
    long size = c.size();
    return unit(images, c.examples(), c.channels(), c.bias())
        .height(size)
        .width(size)
        .batch_stride(c.channels() * size * size)
        .channel_stride(size * size)
        .y_stride(size)
        .x_stride(1)
        .kernel_height(c.kernel())
        .kernel_width(c.kernel())
        .stride_height(c.stride())
        .stride_width(c.stride())
        .padding_height(c.padding())
        .padding_width(c.padding());
  }

  /** The rows of a matrix. */
  static kfac_samples of(DenseCase c, FloatPointer data) {
    return unit(data, c.rows(), c.width(), c.bias()).batch_stride(c.width()).channel_stride(1);
  }

  private static kfac_samples unit(FloatPointer data, int batch, int channels, boolean bias) {
    return new kfac_samples()
        .data(data)
        .dtype(KFAC_F32)
        .bias(bias ? 1 : 0)
        .groups(1)
        .batch(batch)
        .channels(channels)
        .height(1)
        .width(1)
        .y_stride(0)
        .x_stride(0)
        .kernel_height(1)
        .kernel_width(1)
        .stride_height(1)
        .stride_width(1)
        .padding_height(0)
        .padding_width(0)
        .dilation_height(1)
        .dilation_width(1);
  }
}
