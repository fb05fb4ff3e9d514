package io.github.kfac4j.examples;

import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;
import static org.bytedeco.pytorch.global.torch.manual_seed;
import static org.bytedeco.pytorch.global.torch.max_pool2d;

import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.pytorch.TorchKfac;
import java.util.Locale;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A CNN on the JavaCPP presets of PyTorch. */
public final class PytorchCnn {
  private static final int BATCH = 64;

  private PytorchCnn() {}

  private static final class Net extends Module {
    private final Conv2dImpl conv =
        register_module("conv", new Conv2dImpl(new Conv2dOptions(1, 8, new LongPointer(5, 5))));
    private final LinearImpl hidden = register_module("hidden", new LinearImpl(8 * 6 * 6, 64));
    private final LinearImpl head = register_module("head", new LinearImpl(64, Images.CLASSES));

    Tensor forward(TorchKfac kfac, Tensor x) {
      Tensor z = max_pool2d(kfac.forward(conv, x).relu_(), 4, 4); // for conv.forward(x)
      z = kfac.forward(hidden, z.flatten(1, -1)).relu_();
      return kfac.forward(head, z);
    }
  }

  /** Trains 40 steps. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  public static void main(String[] args) {
    manual_seed(1);
    Net net = new Net();
    SGD sgd = new SGD(net.parameters(), new SGDOptions(0.03));
    Images images = Images.training(20 * BATCH);
    try (TorchKfac kfac = TorchKfac.attach(net, KfacOptions.DEFAULT.withDamping(0.03))) {
      kfac.followLearningRate(sgd);
      double sum = 0;
      for (int step = 1; step <= 40; step++) {
        try (PointerScope scope = new PointerScope()) {
          Images batch = images.batch(step - 1, BATCH);
          Tensor x = Tensor.create(batch.pixels(), BATCH, 1, Images.SIZE, Images.SIZE);
          Tensor labels = Tensor.create(batch.classes()).to(ScalarType.Long);
          sgd.zero_grad();
          Tensor loss = cross_entropy_loss(net.forward(kfac, x), labels);
          loss.backward();
          kfac.precondition();
          sgd.step();
          sum += loss.item_float();
        }
        if (step % 20 == 0) {
          System.out.printf(Locale.ROOT, "step %d mean loss %.3f%n", step, sum / 20);
          sum = 0;
        }
      }
    }
  }
}
