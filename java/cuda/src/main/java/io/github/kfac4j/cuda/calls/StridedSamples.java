package io.github.kfac4j.cuda.calls;

import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_samples;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;

/** Samples as the kernels see them: activations indexed through strides, whatever their kind. */
public final class StridedSamples {
  private StridedSamples() {}

  /** Describes all samples. */
  public static void describe(Samples samples, Call call, kfac_samples strided) {
    describe(samples, call, 0, samples.examples(), strided);
  }

  /** Describes the samples of the given examples. */
  public static void describe(
      Samples samples, Call call, int first, int count, kfac_samples strided) {
    Type type = Call.type(samples.data());
    strided.dtype(dtype(type)).groups(samples.groups());
    window(strided, Window.of(1, 1));
    if (samples instanceof RowSamples s) {
      long width = (long) s.groups() * s.width();
      // every position is an example here: a row is a row
      strided.bias(s.bias() ? 1 : 0).batch((long) count * s.positions());
      image(strided, width, 1, 1);
      strides(strided, width, 1, 0, 0);
    } else if (samples instanceof ChannelSamples s) {
      long channels = (long) s.groups() * s.dim();
      strided.bias(0).batch(count);
      image(strided, channels, 1, s.positions());
      strides(strided, channels * s.positions(), s.positions(), 0, 1);
    } else {
      PatchSamples s = (PatchSamples) samples;
      long area = (long) s.height() * s.width();
      strided.bias(s.bias() ? 1 : 0).batch(count);
      image(strided, s.channels(), s.height(), s.width());
      if (s.layout() == ImageLayout.NCHW) {
        strides(strided, s.channels() * area, area, s.width(), 1);
      } else {
        strides(strided, s.channels() * area, 1, (long) s.width() * s.channels(), s.channels());
      }
      window(strided, s.window());
    }
    long perExample = strided.batch_stride() * (strided.batch() / Math.max(1, count));
    strided.data(Address.pointer(call.input(samples.data()) + first * perExample * type.bytes()));
  }

  /** The kernels' name of an element type. */
  public static int dtype(Type type) {
    return switch (type) {
      case F32 -> kfac_cuda.KFAC_F32;
      case BF16 -> kfac_cuda.KFAC_BF16;
      case F16 -> kfac_cuda.KFAC_F16;
    };
  }

  private static void image(kfac_samples strided, long channels, long height, long width) {
    strided.channels(channels).height(height).width(width);
  }

  private static void strides(kfac_samples strided, long example, long channel, long y, long x) {
    strided.batch_stride(example).channel_stride(channel).y_stride(y).x_stride(x);
  }

  private static void window(kfac_samples strided, Window w) {
    strided.kernel_height(w.kernelHeight()).kernel_width(w.kernelWidth());
    strided.stride_height(w.strideHeight()).stride_width(w.strideWidth());
    strided.padding_height(w.paddingHeight()).padding_width(w.paddingWidth());
    strided.dilation_height(w.dilationHeight()).dilation_width(w.dilationWidth());
  }
}
