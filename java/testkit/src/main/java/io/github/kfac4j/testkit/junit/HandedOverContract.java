package io.github.kfac4j.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Buffers of every kind, and geometry at its limits: as in fp64, or refused with the layer and the
 * numbers, and nothing has changed. A backend's module extends this class.
 */
public abstract class HandedOverContract {
  private static final double TOLERANCE = 1e-5; // a step of a few hundred fp32 sums
  private static final int MUCH = Integer.MAX_VALUE;
  private static final KfacOptions OPTIONS = EveryLayer.OPTIONS.withDamping(0.1);

  private final Random random = new Random(17);

  /** Opens the backend under test. */
  protected abstract Backend open();

  private static Conv2d conv(Window window) {
    return new Conv2d(2, 3, window, 1, true, ImageLayout.NCHW);
  }

  private HostTensor tensor(int... shape) {
    return Fixtures.direct(
        Fixtures.gaussian(random, Arrays.stream(shape).reduce(1, (a, b) -> a * b)), shape);
  }

  private static FloatBuffer floats(boolean direct, float... values) {
    FloatBuffer buffer =
        direct
            ? ByteBuffer.allocateDirect(values.length * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer()
            : FloatBuffer.allocate(values.length);
    return buffer.put(values).flip();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void gradientsThatCannotBeReplacedAreRefusedAndInputsMayBeReadOnly(boolean direct) {
    Map<String, Layer> layers = Map.of("fc", new Dense(2, 1, true));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS)) {
      HostTensor input = HostTensor.of(floats(direct, 1, 2, 3, 5).asReadOnlyBuffer(), 2, 2);
      HostTensor outputGrad = HostTensor.of(floats(direct, 1, -1).asReadOnlyBuffer(), 2, 1);
      kfac.observe(List.of(new Observation("fc", input, outputGrad, 1)));
      kfac.refresh();
      Map<String, StoredTensor> before = kfac.toTensors();
      FloatBuffer weight = floats(direct, 3, 4);
      FloatBuffer bias = floats(direct, 5);
      assertThatThrownBy(() -> kfac.precondition(gradient(weight.asReadOnlyBuffer(), bias)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'fc': weight gradient is in a read-only buffer");
      assertThatThrownBy(() -> kfac.precondition(gradient(weight, bias.asReadOnlyBuffer())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'fc': bias gradient is in a read-only buffer");
      assertThat(weight).isEqualTo(floats(direct, 3, 4));
      assertThat(bias).isEqualTo(floats(direct, 5));
      assertThat(kfac.toTensors()).isEqualTo(before);
      kfac.precondition(gradient(weight, bias));
      assertThat(weight).isNotEqualTo(floats(direct, 3, 4));
    }
  }

  /** A weight of 2 x 3 and what overlaps it, in a memory of 12 elements. */
  static Stream<Arguments> sharing() {
    return Stream.of(
        Arguments.of("the same memory", new long[] {3, 1}, 0, 1),
        Arguments.of("its last element", new long[] {3, 1}, 5, 1),
        Arguments.of("a column of a wider matrix", new long[] {4, 1}, 2, 4),
        Arguments.of("one element of a transpose", new long[] {1, 2}, 5, 4));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("sharing")
  void gradientsThatShareMemoryAreRefused(String name, long[] steps, int at, long step) {
    Map<String, Layer> layers = Map.of("a", new Dense(3, 2, true), "b", new Dense(1, 2, false));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS)) {
      kfac.observe(
          List.of(
              new Observation("a", tensor(5, 3), tensor(5, 2), 1),
              new Observation("b", tensor(5, 1), tensor(5, 2), 1)));
      kfac.refresh();
      Map<String, StoredTensor> before = kfac.toTensors();
      float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
      for (boolean direct : new boolean[] {true, false}) {
        FloatBuffer memory = floats(direct, values);
        HostTensor weight = HostTensor.strided(memory, new int[] {2, 3}, steps);
        FloatBuffer rest = memory.slice(at, 12 - at);
        HostTensor bias = HostTensor.strided(rest, new int[] {2}, step);
        HostTensor other = HostTensor.strided(rest, new int[] {2, 1}, step, 1);
        assertThatThrownBy(() -> kfac.precondition(List.of(new LayerGradient("a", weight, bias))))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "layer 'a': weight gradient and layer 'a': bias gradient share memory, and both are"
                    + " to be replaced by the preconditioned one: copy one of them");
        assertThatThrownBy(
                () ->
                    kfac.preview(
                        List.of(
                            new LayerGradient("b", other),
                            new LayerGradient("a", weight, tensor(2)))))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("layer 'a': weight gradient")
            .hasMessageContaining("layer 'b': weight gradient")
            .hasMessageContaining("share memory");
        assertThat(memory).isEqualTo(floats(direct, values));
      }
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }

  /** As a trainer has them whose weight and bias are columns of one matrix. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void gradientsMayLieBetweenOneAnother(boolean direct) {
    Map<String, Layer> layers = Map.of("fc", new Dense(2, 2, true));
    HostTensor input = tensor(5, 2);
    HostTensor outputGrad = tensor(5, 2);
    FloatBuffer matrix = floats(direct, 1, 2, 3, 4, 5, 6);
    FloatBuffer weight = floats(direct, 1, 2, 4, 5);
    FloatBuffer bias = floats(direct, 3, 6);
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS)) {
      kfac.observe(List.of(new Observation("fc", input, outputGrad, 1)));
      kfac.refresh();
      kfac.preview(
          List.of(new LayerGradient("fc", HostTensor.of(weight, 2, 2), HostTensor.of(bias, 2))));
      kfac.preview(
          List.of(
              new LayerGradient(
                  "fc",
                  HostTensor.strided(matrix, new int[] {2, 2}, 3, 1),
                  HostTensor.strided(matrix.slice(2, 4), new int[] {2}, 3))));
    }
    for (int i = 0; i < 2; i++) {
      assertThat(matrix.get(3 * i)).isEqualTo(weight.get(2 * i));
      assertThat(matrix.get(3 * i + 1)).isEqualTo(weight.get(2 * i + 1));
      assertThat(matrix.get(3 * i + 2)).isEqualTo(bias.get(i));
    }
  }

  private static List<LayerGradient> gradient(FloatBuffer weight, FloatBuffer bias) {
    return List.of(new LayerGradient("fc", HostTensor.of(weight, 1, 2), HostTensor.of(bias, 1)));
  }

  static Stream<Arguments> badlyPaired() {
    Layer dense = new Dense(4, 5, true);
    Layer last = new Conv2d(2, 3, Window.of(1, 1), 1, true, ImageLayout.NHWC);
    return Stream.of(
        Arguments.of(dense, new int[] {6, 2, 3, 4}, new int[] {6, 3, 2, 5}),
        Arguments.of(dense, new int[] {6, 6, 4}, new int[] {6, 5, 5}),
        Arguments.of(conv(Window.of(1, 1)), new int[] {6, 2, 8, 4}, new int[] {6, 3, 4, 8}),
        Arguments.of(conv(Window.of(1, 1)), new int[] {6, 2, 8, 4}, new int[] {6, 3, 1, 32}),
        Arguments.of(conv(Window.of(1, 1)), new int[] {6, 2, 8, 4}, new int[] {3, 3, 8, 8}),
        Arguments.of(last, new int[] {6, 8, 4, 2}, new int[] {6, 4, 8, 3}),
        Arguments.of(
            new Conv1d(2, 3, Conv1d.window(2, 1, 0, 1), 1, true),
            new int[] {6, 2, 5},
            new int[] {6, 3, 5}));
  }

  @ParameterizedTest
  @MethodSource("badlyPaired")
  void outputGradientsAtOtherPlacesAreRefused(Layer layer, int[] in, int[] out) {
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("net.layer", layer), OPTIONS)) {
      Map<String, StoredTensor> before = kfac.toTensors();
      Observation bad = new Observation("net.layer", tensor(in), tensor(out), 1);
      assertThatThrownBy(() -> kfac.observe(List.of(bad)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'net.layer': ")
          .hasMessageContaining(Shape.of(in).toString())
          .hasMessageContaining(Shape.of(out).toString());
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }

  static Stream<Arguments> impossible() {
    Window five = Window.of(5, 5);
    String small = "too small for the kernel";
    return Stream.of(
        Arguments.of(conv(five.withDilation(1 << 30, 1 << 30)), small, "1073741824"),
        Arguments.of(conv(Window.of(2, 2).withDilation(MUCH, MUCH)), small, "2147483647"),
        Arguments.of(
            conv(five.withPadding(MUCH, MUCH)), "have 4294967302, and at most", "2147483647"),
        Arguments.of(
            conv(five.withPadding(1 << 27, 1)), "have 268435464, and at most 134217728", "rows"),
        Arguments.of(
            new ConvTranspose2d(2, 3, five.withDilation(1 << 30, 1 << 30), 1, true),
            "gives 4294967304 to",
            "rows"),
        Arguments.of(
            new ConvTranspose2d(2, 3, five.withStride(MUCH, MUCH), 1, true), "gives 150", "rows"),
        Arguments.of(
            new ConvTranspose2d(
                2, 3, Window.of(2, 2).withDilation(1 << 28, 1).withPadding(1 << 27, 0), 1, true),
            "which the kernel sees from up to 268435456 beyond",
            "rows"));
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void geometryThatIsImpossibleIsRefusedWithItsNumbers(Layer layer, String reason, String number) {
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("conv", layer), OPTIONS)) {
      boolean spread = layer instanceof ConvTranspose2d;
      HostTensor out = spread ? tensor(2, 3, 8, 9) : tensor(2, 3, 4, 4);
      Observation bad = new Observation("conv", tensor(2, 2, 8, 8), out, 1);
      assertThatThrownBy(() -> kfac.observe(List.of(bad)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'conv': ")
          .hasMessageContaining(reason)
          .hasMessageContaining(number);
    }
  }

  static Stream<Arguments> extreme() {
    Window three = Window.of(3, 3);
    return Stream.of(
        Arguments.of(conv(three.withStride(100_000, 100_000_000)), 1, 1),
        Arguments.of(conv(three.withStride(MUCH, 1)), 1, 6),
        Arguments.of(conv(Window.of(1, 1).withDilation(MUCH, MUCH).withStride(4, 3)), 2, 3),
        Arguments.of(conv(three.withDilation(2000, 3000).withPadding(2000, 3000)), 8, 8),
        Arguments.of(
            conv(three.withDilation(1, 1_000_000).withPadding(1, 1_000_000).withStride(2, 3)),
            4,
            3),
        Arguments.of(conv(three.withPadding(0, 1_000_000).withStride(1, 999_999)), 6, 3),
        Arguments.of(
            new Conv2d(
                2,
                2,
                three.withDilation(2000, 3000).withPadding(2000, 3000),
                2,
                false,
                ImageLayout.NHWC),
            8,
            8),
        Arguments.of(
            new Conv2d(
                2, 2, three.withPadding(0, 1_000_000).withStride(1, 999_999), 2, true, nchw()),
            6,
            3),
        Arguments.of(
            new ConvTranspose2d(
                2, 2, three.withDilation(2000, 3000).withPadding(2000, 3000), 1, true),
            8,
            8));
  }

  private static ImageLayout nchw() {
    return ImageLayout.NCHW;
  }

  @ParameterizedTest
  @MethodSource("extreme")
  void geometryThatIsPossibleWorksInLittleMemory(Layer layer, int height, int width) {
    boolean last = layer instanceof Conv2d conv && conv.layout() == ImageLayout.NHWC;
    int channels = layer.weightShape().get(layer instanceof ConvTranspose2d ? 1 : 0);
    HostTensor input = last ? tensor(2, 8, 8, 2) : tensor(2, 2, 8, 8);
    HostTensor out = last ? tensor(2, height, width, channels) : tensor(2, channels, height, width);
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("conv", layer), OPTIONS);
        Kfac java = new Kfac(new JavaBackend(), Map.of("conv", layer), OPTIONS)) {
      for (Kfac one : List.of(kfac, java)) {
        one.observe(List.of(new Observation("conv", input, out, 1)));
      }
      for (String factor : List.of("A", "G")) {
        assertThat(
                Fixtures.error(
                    kfac.state().factor("conv", factor), java.state().factor("conv", factor)))
            .isLessThan(TOLERANCE);
      }
    }
  }

  @Test
  void rowsMayBeFlattenedInOneOfTheTensors() {
    Map<String, Layer> layers = Map.of("fc", new Dense(4, 5, true));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS)) {
      kfac.observe(List.of(new Observation("fc", tensor(6, 2, 3, 4), tensor(6, 6, 5), 1)));
    }
  }
}
