package io.github.kfac4j.pytorch;

import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.options.KfacOptions;
import java.util.Random;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Small networks and their data. */
final class Nets {
  static final int BATCH = 16;

  static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 1);

  private Nets() {}

  /** A convolution and two dense layers for images of 1 x 6 x 6 in 3 classes. */
  static final class Cnn extends Module {
    final Conv2dImpl conv = register_module("conv", conv(1, 4, 3));
    final LinearImpl hidden = register_module("hidden", new LinearImpl(64, 10));
    final LinearImpl head = register_module("head", new LinearImpl(10, 3));

    Cnn(long seed) {
      randomize(this, seed);
    }

    Tensor forward(BiFunction<Module, Tensor, Tensor> run, Tensor x) {
      Tensor z = torch.relu(run.apply(conv, x));
      z = torch.relu(run.apply(hidden, z.flatten(1, -1)));
      return run.apply(head, z);
    }
  }

  static Conv2dImpl conv(long in, long out, long kernel) {
    try (org.bytedeco.javacpp.LongPointer size =
        new org.bytedeco.javacpp.LongPointer(kernel, kernel)) {
      return new Conv2dImpl(new Conv2dOptions(in, out, size));
    }
  }

  /** Parameters that depend on nothing but the seed. */
  static void randomize(Module net, long seed) {
    Random random = new Random(seed);
    TensorVector parameters = net.parameters();
    for (long i = 0; i < parameters.size(); i++) {
      Tensor p = parameters.get(i);
      Tensor values = gaussian(random, Sizes.of(p)).mul(new org.bytedeco.pytorch.Scalar(0.3));
      p.detach().copy_(values);
    }
  }

  static Tensor gaussian(Random random, long... shape) {
    int size = 1;
    for (long extent : shape) {
      size *= Math.toIntExact(extent);
    }
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.create(values, shape);
  }

  static Tensor images(long seed) {
    return gaussian(new Random(seed), BATCH, 1, 6, 6);
  }

  /** Classes that can be told from the images: where their mean lies. */
  static Tensor labels(Tensor images) {
    Tensor means = images.mean(1, 2, 3);
    return means
        .gt(new org.bytedeco.pytorch.Scalar(-0.07))
        .to(torch.ScalarType.Long)
        .add(means.gt(new org.bytedeco.pytorch.Scalar(0.07)).to(torch.ScalarType.Long));
  }

  static SGD sgd(Module net, double rate) {
    return new SGD(net.parameters(), new SGDOptions(rate));
  }

  /** The loss of a forward pass through K-FAC. */
  static Tensor loss(Cnn net, TorchKfac kfac, Tensor x) {
    return torch.cross_entropy_loss(net.forward(kfac::forward, x), labels(x));
  }

  /** A step; returns the loss. */
  static float step(Cnn net, TorchKfac kfac, SGD sgd, long seed) {
    Tensor x = images(seed);
    Tensor loss = loss(net, kfac, x);
    sgd.zero_grad();
    loss.backward();
    StepReport report = kfac.precondition();
    sgd.step();
    return report == null ? Float.NaN : loss.item_float();
  }

  static float[] values(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    tensor.detach().contiguous().data_ptr_float().get(values);
    return values;
  }

  /** All parameters, one after another. */
  static float[][] weights(Module net) {
    TensorVector parameters = net.parameters();
    float[][] all = new float[(int) parameters.size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = values(parameters.get(i));
    }
    return all;
  }
}
