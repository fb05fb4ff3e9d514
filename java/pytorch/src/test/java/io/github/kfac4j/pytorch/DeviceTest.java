package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.cuda.CudaLibrary;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.RequiresCuda;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.pytorch.Nets.Cnn;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.Random;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Tensors by device pointer. On the stand-ins for CUDA, which take PyTorch's memory on the CPU for
 * memory that the GPU reaches.
 */
@RequiresCuda
class DeviceTest {
  private static final Placement EVERYTHING = new Placement(tensor -> true);

  @BeforeEach
  void emulated() {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "needs the stand-ins for CUDA");
  }

  private static Tap tap(Layer layer) {
    Tap tap = new Tap("layer", null, null);
    tap.describeAs(layer);
    return tap;
  }

  @Test
  void tensorsAreTakenWhereTheyAre() {
    Tensor x = Nets.gaussian(new Random(1), 4, 3);
    Shape shape = Shape.of(4, 3);
    Tap dense = tap(new Dense(3, 2, true));
    Tap table = tap(new Embedding(9, 3));
    try (View view = EVERYTHING.input(dense, x, new int[] {4, 3}, 4, Nets.OPTIONS);
        View gradient = EVERYTHING.gradient(dense, x, shape, Nets.OPTIONS);
        View rows = EVERYTHING.input(table, x, new int[] {4, 3}, 4, Nets.OPTIONS);
        View vectors = EVERYTHING.outputGrad(table, x, new int[] {4, 3}, 4, Nets.OPTIONS)) {
      assertThat(view.tensor()).isInstanceOf(DeviceTensor.class);
      assertThat(view.data().data_ptr().address()).isEqualTo(x.data_ptr().address());
      assertThat(gradient.data().data_ptr().address()).isEqualTo(x.data_ptr().address());
      assertThat(rows.tensor()).isInstanceOf(HostTensor.class);
      assertThat(vectors.data().data_ptr().address()).isEqualTo(x.data_ptr().address());
    }
    Tensor bf16 = x.to(ScalarType.BFloat16);
    try (View half = EVERYTHING.input(dense, bf16, new int[] {4, 3}, 4, Nets.OPTIONS);
        View wide = EVERYTHING.gradient(dense, bf16, shape, Nets.OPTIONS)) {
      assertThat(((DeviceTensor) half.tensor()).type()).isEqualTo(DeviceTensor.Type.BF16);
      assertThat(((DeviceTensor) wide.tensor()).type()).isEqualTo(DeviceTensor.Type.F32);
    }
  }

  /** Rows that must be cut or sorted by example are so in host memory. */
  @Test
  void rowsThatAreRearrangedGoThroughTheHost() {
    Tap dense = tap(new Dense(3, 2, true));
    Tensor x = Nets.gaussian(new Random(1), 4, 2, 3);
    int[] shape = {4, 2, 3};
    KfacOptions ekfac = KfacOptions.DEFAULT.withApproximation(Approximation.EKFAC);
    try (View first = EVERYTHING.input(dense, x, shape, 4, ekfac);
        View second = EVERYTHING.input(dense, x, shape, 2, ekfac);
        View many = EVERYTHING.input(dense, x, shape, 4, Nets.OPTIONS.withMaxExamples(3))) {
      assertThat(first.tensor()).isInstanceOf(DeviceTensor.class);
      assertThat(second.tensor()).isInstanceOf(HostTensor.class);
      assertThat(many.tensor()).isInstanceOf(HostTensor.class);
    }
  }

  @Test
  void gradientsAreThoseOfTheHost() {
    float[][][] results = new float[2][][];
    for (boolean device : new boolean[] {false, true}) {
      Cnn net = new Cnn(1);
      SGD sgd = Nets.sgd(net, 0.1);
      try (Backend backend = Backends.require("cuda");
          TorchKfac kfac =
              TorchKfac.attach(
                  net,
                  Nets.OPTIONS,
                  Fisher.EMPIRICAL,
                  backend,
                  device ? EVERYTHING : Placement.HOST)) {
        for (int step = 0; step < 5; step++) {
          Nets.step(net, kfac, sgd, step);
        }
      }
      results[device ? 1 : 0] = Nets.weights(net);
    }
    assertThat(results[1]).isDeepEqualTo(results[0]); // the same numbers, on another way
  }
}
