package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.experiments.data.BatchOrder;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.options.KfacOptions;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.DoubleStream;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/** Real images: the Simple CNN of Shallue et al. on Fashion-MNIST. */
@SuppressWarnings("try") // scopes free what is made inside them
class SimpleCnnTest {
  private static final int STEPS = 50;
  private static final int BATCH = 64;
  private static final Dataset DATA = Datasets.load(DatasetName.FASHION_MNIST, Optional.empty());

  private static final class SimpleCnn extends Module {
    final Conv2dImpl conv1 = register_module("conv1", conv(1, 32));
    final Conv2dImpl conv2 = register_module("conv2", conv(32, 64));
    final LinearImpl fc1 = register_module("fc1", new LinearImpl(64 * 7 * 7, 1024));
    final LinearImpl fc2 = register_module("fc2", new LinearImpl(1024, 10));

    private static Conv2dImpl conv(long in, long out) {
      Conv2dOptions options = new Conv2dOptions(in, out, new LongPointer(5, 5));
      options.padding().put(new LongPointer(2, 2));
      return new Conv2dImpl(options);
    }

    Tensor forward(BiFunction<Module, Tensor, Tensor> run, Tensor x) {
      Tensor z = torch.max_pool2d(run.apply(conv1, x).relu_(), 2, 2);
      z = torch.max_pool2d(run.apply(conv2, z).relu_(), 2, 2);
      z = run.apply(fc1, z.flatten(1, -1)).relu_();
      return run.apply(fc2, z);
    }
  }

  private record Batch(Tensor images, Tensor labels) {}

  private static Batch batch(BatchReader reader, int[] indices, long step) {
    reader.read(indices, step);
    float[] pixels = new float[indices.length * 28 * 28];
    reader.inputs().asFloatBuffer().get(pixels);
    ByteBuffer labels = reader.labels();
    long[] classes = new long[indices.length];
    Arrays.setAll(classes, i -> (long) labels.getFloat(i * Float.BYTES));
    return new Batch(Tensor.create(pixels, indices.length, 1, 28, 28), Tensor.create(classes));
  }

  /** The loss on images that were not trained on, after so many steps. */
  private static double train(KfacOptions options, double rate) {
    torch.manual_seed(1);
    SimpleCnn net = new SimpleCnn();
    SGDOptions settings = new SGDOptions(rate);
    settings.momentum().put(0.9);
    SGD sgd = new SGD(net.parameters(), settings);
    BatchReader reader = BatchReader.training(DATA, BATCH, false, 1);
    BatchOrder order = new BatchOrder(DATA.train().count(), BATCH, 1);
    try (TorchKfac kfac = options == null ? null : TorchKfac.attach(net, options)) {
      BiFunction<Module, Tensor, Tensor> run = kfac == null ? SimpleCnnTest::plain : kfac::forward;
      if (kfac != null) {
        kfac.followLearningRate(sgd);
      }
      for (int step = 0; step < STEPS; step++) {
        try (PointerScope scope = new PointerScope()) {
          Batch batch = batch(reader, order.indices(step), step);
          sgd.zero_grad();
          torch.cross_entropy_loss(net.forward(run, batch.images), batch.labels).backward();
          if (kfac != null) {
            kfac.precondition();
          }
          sgd.step();
        }
      }
    }
    return validationLoss(net);
  }

  private static double validationLoss(SimpleCnn net) {
    int[] first = new int[500];
    Arrays.setAll(first, i -> i);
    BatchReader reader = BatchReader.validation(DATA, first.length);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Batch batch = batch(reader, first, 0);
      Tensor outputs = net.forward(SimpleCnnTest::plain, batch.images);
      return torch.cross_entropy_loss(outputs, batch.labels).item_float();
    }
  }

  private static Tensor plain(Module module, Tensor x) {
    return Sites.of(module).forward(x);
  }

  @Test
  void fiftyStepsBeatSgdAtItsBestRate() {
    double sgd =
        DoubleStream.of(0.003, 0.01, 0.03, 0.1, 0.3)
            .map(rate -> train(null, rate))
            .filter(Double::isFinite)
            .min()
            .orElseThrow();
    KfacOptions options =
        KfacOptions.DEFAULT.withDamping(0.03).withIntervals(1, 10).withKlClip(1e-3, 0.03);
    double kfac = train(options, 0.03);
    System.out.println("sgd " + sgd + " kfac " + kfac);
    assertThat(kfac).isLessThan(sgd);
  }
}
