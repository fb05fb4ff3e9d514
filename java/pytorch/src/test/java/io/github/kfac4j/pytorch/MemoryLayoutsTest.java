package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Random;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** Tensors that do not lie row by row are taken as they lie. */
class MemoryLayoutsTest {
  private static Tensor counting(long... shape) {
    return torch.arange(new Scalar(24.0f)).reshape(shape);
  }

  private static HostTensor shared(Tensor tensor) {
    int[] shape = Sizes.ints(Sizes.of(tensor));
    View view = View.onHost(tensor, shape);
    HostTensor host = (HostTensor) view.tensor();
    assertThat(view.data().data_ptr().address()).isEqualTo(tensor.data_ptr().address());
    assertThat(host.isContiguous()).isFalse();
    float[] expected = Nets.values(tensor);
    for (int i = 0; i < expected.length; i++) {
      assertThat(host.toArray()[i]).isEqualTo(expected[i]);
    }
    return host;
  }

  @Test
  void memoryIsSharedWhateverTheStrides() {
    shared(counting(4, 6).t());
    shared(counting(2, 3, 4).narrow(2, 1, 2));
    shared(counting(24).narrow(0, 5, 1).expand(3, 4));
    shared(counting(1, 4, 2, 3).contiguous(MemoryFormat.ChannelsLast));
    Tensor base = counting(4, 6);
    shared(base.t()).write(1, new double[] {100}, 0, 1);
    assertThat(Nets.values(base)[6]).isEqualTo(100);
  }

  @Test
  void whatMustBeCopiedGoesBack() {
    Tensor half = counting(4, 6).to(ScalarType.BFloat16).t();
    View view = View.onHost(half, new int[] {6, 4});
    ((HostTensor) view.tensor()).write(1, new double[] {100}, 0, 1);
    view.store();
    assertThat(Nets.values(half.to(ScalarType.Float))[1]).isEqualTo(100);
    Tensor rows = counting(4, 6).t();
    View joined = View.onHost(rows, new int[] {24});
    assertThat(((HostTensor) joined.tensor()).toArray()[1]).isEqualTo(6);
    ((HostTensor) joined.tensor()).write(1, new double[] {100}, 0, 1);
    joined.store();
    assertThat(Nets.values(rows)[1]).isEqualTo(100);
  }

  /** Images and kernels as {@code to(memory_format=channels_last)} makes them. */
  @Test
  void channelsLastGivesTheSameSteps() {
    float[][][] weights = new float[2][][];
    for (int last = 0; last < 2; last++) {
      Deep net = new Deep();
      if (last == 1) {
        net.second.weight().set_data(net.second.weight().contiguous(MemoryFormat.ChannelsLast));
      }
      SGD sgd = Nets.sgd(net, 0.1);
      try (Backend backend = Backends.require("java");
          TorchKfac kfac = TorchKfac.attach(net, Nets.OPTIONS, Fisher.EMPIRICAL, backend)) {
        for (int step = 0; step < 3; step++) {
          Tensor x = Nets.gaussian(new Random(step), 8, 2, 6, 6);
          Tensor images = last == 1 ? x.contiguous(MemoryFormat.ChannelsLast) : x;
          sgd.zero_grad();
          Tensor z = torch.relu(kfac.forward(net.first, images));
          z = kfac.forward(net.second, z).mean(2, 3);
          Tensor labels = Tensor.create(new long[] {0, 1, 2, 0, 1, 2, 0, 1});
          torch.cross_entropy_loss(z, labels).backward();
          if (last == 1) {
            assertThat(net.second.weight().grad().is_contiguous()).isFalse();
          }
          kfac.precondition();
          sgd.step();
        }
      }
      weights[last] = Nets.weights(net);
    }
    for (int i = 0; i < weights[0].length; i++) {
      assertThat(weights[1][i]).usingComparatorWithPrecision(1e-4f).containsExactly(weights[0][i]);
    }
  }

  private static final class Deep extends Module {
    final Conv2dImpl first = register_module("first", Nets.conv(2, 4, 3));
    final Conv2dImpl second = register_module("second", Nets.conv(4, 3, 2));

    Deep() {
      Nets.randomize(this, 3);
    }
  }
}
