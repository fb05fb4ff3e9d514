package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.BatchNorm1dImpl;
import org.bytedeco.pytorch.BatchNorm2dImpl;
import org.bytedeco.pytorch.BatchNorm3dImpl;
import org.bytedeco.pytorch.BatchNormOptions;
import org.bytedeco.pytorch.Conv1dImpl;
import org.bytedeco.pytorch.Conv1dOptions;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dOptions;
import org.bytedeco.pytorch.ConvTranspose1dImpl;
import org.bytedeco.pytorch.ConvTranspose1dOptions;
import org.bytedeco.pytorch.ConvTranspose2dImpl;
import org.bytedeco.pytorch.ConvTranspose2dOptions;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.EmbeddingOptions;
import org.bytedeco.pytorch.GroupNormImpl;
import org.bytedeco.pytorch.InstanceNorm2dImpl;
import org.bytedeco.pytorch.InstanceNormOptions;
import org.bytedeco.pytorch.LayerNormImpl;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.kSame;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of layer: its preconditioned gradient is that of the core, fed by hand with what an
 * untouched twin saw.
 */
class LayersTest {
  private static final int N = 6;

  private static LongPointer pair(long first, long second) {
    return new LongPointer(first, second);
  }

  private static Conv2dOptions window(boolean dilated) {
    Conv2dOptions options = new Conv2dOptions(4, 6, pair(3, 2));
    options.stride().put(2, 1);
    options.groups().put(2);
    options.padding().put(pair(1, 2));
    options.dilation().put(dilated ? 2 : 1, 1);
    return options;
  }

  private static Tensor rows() {
    long[] rows = new Random(5).longs(N * 4, 0, 7).toArray();
    return Tensor.create(rows, N, 4);
  }

  private static EmbeddingOptions padded() {
    EmbeddingOptions options = new EmbeddingOptions(7, 3);
    options.padding_idx().put(new LongOptional(2));
    return options;
  }

  private static Arguments of(String name, Supplier<Module> module, long... input) {
    return Arguments.of(name, module, (Supplier<Tensor>) () -> Nets.gaussian(new Random(3), input));
  }

  static Stream<Arguments> layers() {
    return Stream.of(
        of("linear", () -> new LinearImpl(5, 4), N, 5),
        of("positions", () -> new LinearImpl(5, 4), N, 3, 5),
        of("conv1d", () -> new Conv1dImpl(window1d()), N, 4, 9),
        of("conv2d", () -> new Conv2dImpl(window(false)), N, 4, 7, 6),
        of("dilated", () -> new Conv2dImpl(window(true)), N, 4, 7, 6),
        of("same", () -> new Conv2dImpl(same()), N, 2, 5, 5),
        of("up1d", () -> new ConvTranspose1dImpl(up1d()), N, 4, 5),
        of("up2d", () -> new ConvTranspose2dImpl(up2d()), N, 4, 3, 4),
        Arguments.of(
            "table",
            (Supplier<Module>) () -> new EmbeddingImpl(7, 3),
            (Supplier<Tensor>) LayersTest::rows),
        Arguments.of(
            "padded",
            (Supplier<Module>) () -> new EmbeddingImpl(padded()),
            (Supplier<Tensor>) LayersTest::rows),
        of("batch1d", () -> new BatchNorm1dImpl(new BatchNormOptions(5)), N, 5),
        of("batch2d", () -> new BatchNorm2dImpl(new BatchNormOptions(5)), N, 5, 3, 2),
        of("batch3d", () -> new BatchNorm3dImpl(new BatchNormOptions(5)), N, 5, 2, 3, 2),
        of("instance", () -> new InstanceNorm2dImpl(affine()), N, 5, 3, 2),
        of("group", () -> new GroupNormImpl(2, 4), N, 4, 3),
        of("layer", () -> new LayerNormImpl(new LongVector(new long[] {5})), N, 5),
        of("layer2d", () -> new LayerNormImpl(new LongVector(3, 2)), N, 4, 3, 2));
  }

  private static Conv1dOptions window1d() {
    Conv1dOptions options = new Conv1dOptions(4, 6, new LongPointer(1).put(3));
    options.stride().put(2);
    options.padding().put(new LongPointer(1).put(2));
    options.groups().put(2);
    return options;
  }

  private static Conv2dOptions same() {
    Conv2dOptions options = new Conv2dOptions(2, 3, pair(3, 5));
    options.padding().put(new kSame());
    options.bias().put(false);
    return options;
  }

  private static ConvTranspose1dOptions up1d() {
    ConvTranspose1dOptions options = new ConvTranspose1dOptions(4, 2, new LongPointer(1).put(3));
    options.stride().put(2);
    options.padding().put(1);
    options.output_padding().put(1);
    return options;
  }

  private static ConvTranspose2dOptions up2d() {
    ConvTranspose2dOptions options = new ConvTranspose2dOptions(4, 6, pair(3, 2));
    options.stride().put(2, 2);
    options.groups().put(2);
    return options;
  }

  private static InstanceNormOptions affine() {
    InstanceNormOptions options = new InstanceNormOptions(5);
    options.affine().put(true);
    return options;
  }

  /** A network of one layer. */
  private static final class One extends Module {
    final Module layer;

    One(Module layer) {
      this.layer = layer;
      register_module("layer", layer);
      Nets.randomize(this, 7);
    }
  }

  private static Tensor loss(Tensor z) {
    return z.mul(z).mul(z).mean();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void preconditionedAsByHand(String name, Supplier<Module> make, Supplier<Tensor> input) {
    One net = new One(make.get());
    One twin = new One(make.get());
    Tensor x = input.get();
    try (Backend backend = Backends.require("java");
        TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend)) {
      assertThat(kfac.layers()).containsExactly("layer");
      loss(kfac.forward(net.layer, x)).backward();
      kfac.precondition();
      float[][] byHand = byHand(twin, x, kfac, backend);
      TensorVector parameters = net.parameters();
      assertThat(parameters.size()).isEqualTo(byHand.length);
      for (int i = 0; i < byHand.length; i++) {
        assertThat(Nets.values(parameters.get(i).grad())).isEqualTo(byHand[i]);
      }
    }
  }

  private static float[][] byHand(One twin, Tensor x, TorchKfac kfac, Backend backend) {
    Site site = Sites.of(twin.layer);
    Tensor s = site.forward(x);
    Tensor mean = loss(s);
    Tensor ds =
        torch
            .grad(
                new TensorVector(mean),
                new TensorVector(s),
                new TensorVector(),
                new org.bytedeco.pytorch.BoolOptional(true),
                false,
                false)
            .get(0);
    mean.backward();
    Layer layer = site.describe(site.bias().defined());
    Tensor seen = site.seen(x).contiguous();
    Tensor reaching = site.reaching(seen, ds).contiguous();
    HostTensor a = host(seen, site);
    HostTensor g = host(reaching, site);
    HostTensor w =
        HostTensor.of(Nets.values(site.weight().grad()), Sizes.ints(layer.weightShape()));
    HostTensor b =
        layer.bias()
            ? HostTensor.of(Nets.values(site.bias().grad()), Sizes.ints(layer.biasShape()))
            : null;
    try (Kfac core = new Kfac(backend, Map.of("layer", layer), kfac.kfac().options())) {
      core.observe(List.of(new Observation("layer", a, g, N, N)));
      core.refresh();
      core.precondition(List.of(new LayerGradient("layer", w, b)));
    }
    return b == null ? new float[][] {floats(w)} : new float[][] {floats(w), floats(b)};
  }

  private static HostTensor host(Tensor tensor, Site site) {
    int[] shape = site.shape(Sizes.of(tensor));
    return tensor.scalar_type().intern() == torch.ScalarType.Float
        ? HostTensor.of(Nets.values(tensor), shape)
        : HostTensor.of(Nets.values(tensor.to(torch.ScalarType.Float)), shape);
  }

  private static float[] floats(HostTensor tensor) {
    float[] values = new float[tensor.size()];
    tensor.floats().get(0, values);
    return values;
  }
}
