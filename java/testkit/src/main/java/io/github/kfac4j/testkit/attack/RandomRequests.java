package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/** Layers, options and tensors of any kind: mostly such as fit each other, now and then not. */
final class RandomRequests {
  private static final int ODD =
      12; // of this many sizes, shapes or values one is not what it should

  private static final int LARGEST = 100_000; // elements of a tensor; the attack has to be fast

  private final Choices choices;
  private int[] input;
  private int[] output;

  RandomRequests(Choices choices) {
    this.choices = choices;
  }

  /** A layer, and the shapes of what it sees. */
  Layer layer() {
    int n = choices.number(1, 4);
    int in = choices.number(1, 4);
    int out = choices.number(1, 4);
    boolean bias = choices.oneIn(2);
    int side = choices.number(1, 5);
    Window window = window();
    switch (choices.number(0, 6)) {
      case 0:
        shapes(new int[] {n, in}, new int[] {n, out});
        return new Dense(in, out, bias);
      case 1:
        int height = window.outputHeight(side);
        int width = window.outputWidth(side + 1);
        shapes(new int[] {n, 2 * in, side, side + 1}, new int[] {n, 2 * out, height, width});
        int groups = choices.of(1, 2);
        return new Conv2d(2 * in, 2 * out, window, groups, bias, ImageLayout.NCHW);
      case 2:
        Window line = Conv1d.window(window.kernelWidth(), window.strideWidth(), 1, 1);
        shapes(new int[] {n, in, side}, new int[] {n, out, line.outputWidth(side)});
        return new Conv1d(in, out, line, 1, bias);
      case 3:
        int wide = (side - 1) * window.strideWidth() + window.kernelWidth();
        Window up = Window.of(1, window.kernelWidth()).withStride(1, window.strideWidth());
        shapes(new int[] {n, in, 1, side}, new int[] {n, out, 1, wide});
        return new ConvTranspose2d(in, out, up, 1, bias);
      case 4:
        shapes(new int[] {n, in, side, 1}, new int[] {n, out});
        return new FlattenedDense(in, side, out, bias, choices.oneIn(2));
      case 5:
        shapes(new int[] {n, in, side}, new int[] {n, in, side});
        return new ScaleShift(in, choices.of(ScaleShift.Structure.values()), bias, false, 1);
      default:
        shapes(new int[] {n}, new int[] {n, out});
        return new Embedding(in + 1, out);
    }
  }

  private void shapes(int[] in, int[] out) {
    input = in;
    output = out;
  }

  private Window window() {
    int[] v = new int[8];
    for (int i = 0; i < 8; i++) {
      boolean padding = i == 4 || i == 5;
      v[i] = choices.number(padding ? 0 : 1, 3);
      if (i > 1 && choices.oneIn(4 * ODD)) { // a large kernel is a large factor
        v[i] = choices.of(1000, 1 << 27, 1 << 30, Integer.MAX_VALUE, -1, 0);
      }
    }
    return new Window(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  }

  /** Settings of any kind. */
  KfacOptions options() {
    DampingMode mode = choices.of(DampingMode.values());
    KfacOptions options =
        KfacOptions.DEFAULT
            .withIntervals(1, 1)
            .withDecay(choices.of(0.0, 0.5, 0.95))
            .withDamping(choices.oneIn(2) ? choices.size(-3, 1) : choices.size(-40, 10))
            .withInversePolicy(
                InversePolicy.DEFAULT.withMethod(choices.of(InversePolicy.Method.values())))
            .withApproximation(choices.of(Approximation.values()));
    if (choices.oneIn(2)) {
      options = options.withDampingMode(mode);
    }
    if (choices.oneIn(3)) {
      options = options.withConvention(choices.of(Convention.values()));
    }
    return choices.oneIn(3)
        ? options.withKlClip(choices.size(-20, 20), choices.size(-10, 10))
        : options;
  }

  /** What the layer saw. */
  Observation observation(String name, Layer layer) {
    boolean tokens = layer instanceof Embedding;
    HostTensor in = tensor(odd(input), tokens ? layer.inputDim() : 0, -40, 21, true);
    HostTensor out = tensor(odd(output), 0, -40, 21, true);
    double scale = choices.oneIn(3) ? choices.size(-70, 200) : 1;
    int examples = choices.oneIn(ODD) ? choices.number(1, 8) : Math.max(1, input[0]);
    return new Observation(name, in, out, scale, examples);
  }

  /** Its gradient. */
  LayerGradient gradient(String name, Layer layer) {
    boolean bias = layer.bias() != choices.oneIn(4 * ODD);
    return new LayerGradient(
        name,
        tensor(odd(extents(layer.weightShape())), 0, -45, 38, false),
        bias ? tensor(odd(extents(layer.biasShape())), 0, -45, 38, false) : null);
  }

  private static int[] extents(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }

  private int[] odd(int[] shape) {
    int[] other = shape.clone();
    if (choices.oneIn(ODD)) {
      other[choices.number(0, shape.length - 1)] = choices.number(0, 6);
    } else if (choices.oneIn(4 * ODD)) {
      other = Arrays.copyOf(shape, Math.max(0, shape.length + choices.of(-1, 1)));
    } else if (shape.length > 2 && choices.oneIn(ODD)) {
      other[shape.length - 1] = shape[shape.length - 2];
      other[shape.length - 2] = shape[shape.length - 1];
    }
    return other;
  }

  /** Numbers of one size, or token numbers; in a buffer of any kind, in either order. */
  private HostTensor tensor(int[] asked, int tokens, double least, double most, boolean readOnly) {
    boolean small = Arrays.stream(asked).asDoubleStream().reduce(1, (a, b) -> a * b) <= LARGEST;
    int[] shape = Arrays.stream(asked).map(x -> Math.max(0, small ? x : Math.min(x, 6))).toArray();
    int size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double magnitude = choices.oneIn(2) ? 1 : choices.size(least, most);
    Random random = choices.random();
    double[] values = random.doubles(size).map(x -> 2 * x - 1).map(x -> x * magnitude).toArray();
    if (tokens > 0) {
      Arrays.setAll(values, i -> random.nextInt(tokens));
    }
    if (size > 0 && choices.oneIn(ODD)) {
      values[choices.number(0, size - 1)] =
          choices.of(Double.NaN, Double.POSITIVE_INFINITY, 0.0, -0.0, 1e-310, 1e38, -1.0);
    }
    boolean writable = !(readOnly ? choices.oneIn(4) : choices.oneIn(4 * ODD));
    boolean turned = choices.oneIn(4);
    int[] as = turned ? reversed(shape) : shape;
    HostTensor made =
        choices.oneIn(3) ? doubles(values, writable, as) : floats(values, writable, as);
    return turned ? made.permute(reversed(IntStream.range(0, as.length).toArray())) : made;
  }

  private static int[] reversed(int[] all) {
    return IntStream.range(0, all.length).map(i -> all[all.length - 1 - i]).toArray();
  }

  private HostTensor floats(double[] values, boolean writable, int[] shape) {
    FloatBuffer buffer =
        choices.oneIn(2)
            ? FloatBuffer.allocate(values.length)
            : bytes(values.length * Float.BYTES).asFloatBuffer();
    for (int i = 0; i < values.length; i++) {
      buffer.put(i, (float) values[i]);
    }
    return HostTensor.of(writable ? buffer : buffer.asReadOnlyBuffer(), shape);
  }

  private HostTensor doubles(double[] values, boolean writable, int[] shape) {
    DoubleBuffer buffer =
        choices.oneIn(2)
            ? DoubleBuffer.allocate(values.length)
            : bytes(values.length * Double.BYTES).asDoubleBuffer();
    buffer.put(0, values);
    return HostTensor.of(writable ? buffer : buffer.asReadOnlyBuffer(), shape);
  }

  private ByteBuffer bytes(int count) {
    ByteOrder other =
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
            ? ByteOrder.BIG_ENDIAN
            : ByteOrder.LITTLE_ENDIAN;
    return ByteBuffer.allocateDirect(count)
        .order(choices.oneIn(ODD) ? other : ByteOrder.nativeOrder());
  }
}
