package io.github.kfac4j.pytorch;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.trainer.OnDevice;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/**
 * In which memory K-FAC takes tensors: in that of a GPU, or after a copy in that of the host.
 *
 * @param onDevice which of them it takes in the memory of a GPU
 */
record Placement(Predicate<Tensor> onDevice) {
  /** Everything in host memory. */
  static final Placement HOST = new Placement(tensor -> false);

  /** The placement for a backend. */
  static Placement of(Backend backend) {
    return backend.name().equals("cuda") && Gpu.reads(backend)
        ? new Placement(Tensor::is_cuda)
        : HOST;
  }

  /** The input of a layer. */
  View input(Tap tap, Tensor tensor, int[] shape, int examples, KfacOptions options) {
    boolean device =
        onDevice.test(tensor)
            && OnDevice.input(tap.name(), tap.layer(), Shape.of(shape), examples, options);
    return device ? View.onDevice(tensor, shape, false) : View.onHost(tensor, shape);
  }

  /** The gradient at the output of a layer. */
  View outputGrad(Tap tap, Tensor tensor, int[] shape, int examples, KfacOptions options) {
    boolean device =
        onDevice.test(tensor)
            && OnDevice.outputGrad(tap.name(), tap.layer(), Shape.of(shape), examples, options);
    return device ? View.onDevice(tensor, shape, false) : View.onHost(tensor, shape);
  }

  /** A gradient of one of its parameters, which K-FAC rewrites. */
  View gradient(Tap tap, Tensor tensor, Shape shape, KfacOptions options) {
    boolean device = onDevice.test(tensor) && OnDevice.gradient(tap.name(), tap.layer(), options);
    return device
        ? View.onDevice(tensor, Sizes.ints(shape), true)
        : View.onHost(tensor, Sizes.ints(shape));
  }
}
