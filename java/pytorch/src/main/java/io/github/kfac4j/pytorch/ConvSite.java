package io.github.kfac4j.pytorch;

import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Conv1dImpl;
import org.bytedeco.pytorch.Conv1dPadding;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dPadding;
import org.bytedeco.pytorch.ConvPaddingMode;
import org.bytedeco.pytorch.ConvTranspose1dImpl;
import org.bytedeco.pytorch.ConvTranspose2dImpl;
import org.bytedeco.pytorch.DetailConv1dOptions;
import org.bytedeco.pytorch.DetailConv2dOptions;

/** The convolutions of {@code torch::nn} in one and two dimensions, and the transposed ones. */
record ConvSite(ModuleCalls module, Supplier<Slide> slide, int dimensions, boolean transposed)
    implements ModuleCalls.Called {
  /**
   * How the kernel moves, along each dimension.
   *
   * @param padding null for that of {@code 'same'}
   */
  private record Slide(
      long[] kernel,
      long[] stride,
      long[] padding,
      long[] dilation,
      int groups,
      ConvPaddingMode mode) {
    static Slide of(DetailConv1dOptions o) {
      return new Slide(
          values(o.kernel_size(), 1),
          values(o.stride(), 1),
          padding(o.padding()),
          values(o.dilation(), 1),
          Math.toIntExact(o.groups().get()),
          o.padding_mode());
    }

    static Slide of(DetailConv2dOptions o) {
      return new Slide(
          values(o.kernel_size(), 2),
          values(o.stride(), 2),
          padding(o.padding()),
          values(o.dilation(), 2),
          Math.toIntExact(o.groups().get()),
          o.padding_mode());
    }

    private static long[] values(LongPointer array, int count) {
      long[] values = new long[count];
      Arrays.setAll(values, array::get);
      return values;
    }

    private static long[] padding(Conv1dPadding padding) {
      return holds(padding::get0)
          ? values(padding.get0(), 1)
          : holds(padding::get1) ? new long[1] : null;
    }

    private static long[] padding(Conv2dPadding padding) {
      return holds(padding::get0)
          ? values(padding.get0(), 2)
          : holds(padding::get1) ? new long[2] : null;
    }

    void requireZeros() {
      if (!holds(mode::get0)) {
        throw new IllegalArgumentException("it pads with something other than zeros");
      }
    }

    int padding(int axis) {
      if (padding != null) {
        return Math.toIntExact(padding[axis]);
      }
      long both = dilation[axis] * (kernel[axis] - 1);
      if (both % 2 != 0) {
        throw new IllegalArgumentException("its padding 'same' is wider on one side");
      }
      return Math.toIntExact(both / 2);
    }
  }

  /** Whether a variant holds the alternative that a getter returns, which throws if not. */
  private static boolean holds(Supplier<?> getter) {
    try {
      getter.get();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  static Site of(Conv1dImpl m) {
    Supplier<Slide> slide = () -> Slide.of(m.options());
    return new ConvSite(new ModuleCalls(m::weight, m::bias, m::forward), slide, 1, false);
  }

  static Site of(Conv2dImpl m) {
    Supplier<Slide> slide = () -> Slide.of(m.options());
    return new ConvSite(new ModuleCalls(m::weight, m::bias, m::forward), slide, 2, false);
  }

  static Site of(ConvTranspose1dImpl m) {
    Supplier<Slide> slide = () -> Slide.of(m.options());
    return new ConvSite(new ModuleCalls(m::weight, m::bias, m::forward), slide, 1, true);
  }

  static Site of(ConvTranspose2dImpl m) {
    Supplier<Slide> slide = () -> Slide.of(m.options());
    return new ConvSite(new ModuleCalls(m::weight, m::bias, m::forward), slide, 2, true);
  }

  @Override
  public Layer describe(boolean withBias) {
    Slide s = slide.get();
    s.requireZeros();
    int[] weight = Sizes.ints(Sizes.of(weight()));
    int groups = s.groups;
    if (transposed) {
      return new ConvTranspose2d(weight[0], weight[1] * groups, window(s), groups, withBias);
    }
    int in = weight[1] * groups;
    return dimensions == 1
        ? new Conv1d(in, weight[0], window(s), groups, withBias)
        : new Conv2d(in, weight[0], window(s), groups, withBias, ImageLayout.NCHW);
  }

  private Window window(Slide s) {
    int last = dimensions - 1;
    int kernel = Math.toIntExact(s.kernel[last]);
    int stride = Math.toIntExact(s.stride[last]);
    int dilation = Math.toIntExact(s.dilation[last]);
    if (dimensions == 1) {
      return Conv1d.window(kernel, stride, s.padding(0), dilation);
    }
    return new Window(
        Math.toIntExact(s.kernel[0]),
        kernel,
        Math.toIntExact(s.stride[0]),
        stride,
        s.padding(0),
        s.padding(1),
        Math.toIntExact(s.dilation[0]),
        dilation);
  }

  /** Batched; a transposed convolution of sequences is one of images of one row. */
  @Override
  public int[] shape(long[] sizes) {
    int[] shape = Sizes.batched(sizes, dimensions + 2);
    return transposed && dimensions == 1 ? new int[] {shape[0], shape[1], 1, shape[2]} : shape;
  }
}
