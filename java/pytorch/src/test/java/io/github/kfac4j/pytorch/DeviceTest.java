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
import io.github.kfac4j.pytorch.Nets.Cnn;
import io.github.kfac4j.tensor.HostTensor;
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
  private static final Place EVERYTHING = new Place(tensor -> true);

  @BeforeEach
  void emulated() {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "needs the stand-ins for CUDA");
  }

  @Test
  void tensorsAreTakenWhereTheyAre() {
    Tensor x = Nets.gaussian(new Random(1), 4, 3);
    try (View view = EVERYTHING.sample(new Dense(3, 2, true), x, new int[] {4, 3});
        View gradient = EVERYTHING.gradient(new Dense(3, 2, true), x, new int[] {4, 3});
        View rows = EVERYTHING.sample(new Embedding(3, 2), x, new int[] {4, 3})) {
      assertThat(view.tensor()).isInstanceOf(DeviceTensor.class);
      assertThat(view.data().data_ptr().address()).isEqualTo(x.data_ptr().address());
      assertThat(gradient.data().data_ptr().address()).isEqualTo(x.data_ptr().address());
      assertThat(rows.tensor()).isInstanceOf(HostTensor.class);
    }
    try (View half =
            EVERYTHING.sample(new Dense(3, 2, true), x.to(ScalarType.BFloat16), new int[] {4, 3});
        View wide =
            EVERYTHING.gradient(
                new Dense(3, 2, true), x.to(ScalarType.BFloat16), new int[] {4, 3})) {
      assertThat(((DeviceTensor) half.tensor()).type()).isEqualTo(DeviceTensor.Type.BF16);
      assertThat(((DeviceTensor) wide.tensor()).type()).isEqualTo(DeviceTensor.Type.F32);
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
                  net, Nets.OPTIONS, Fisher.EMPIRICAL, backend, device ? EVERYTHING : Place.HOST)) {
        for (int step = 0; step < 5; step++) {
          Nets.step(net, kfac, sgd, step);
        }
      }
      results[device ? 1 : 0] = Nets.weights(net);
    }
    assertThat(results[1]).isDeepEqualTo(results[0]); // the same numbers, on another way
  }
}
