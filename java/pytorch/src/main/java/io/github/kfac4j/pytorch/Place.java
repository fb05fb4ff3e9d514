package io.github.kfac4j.pytorch;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/**
 * Where K-FAC takes tensors.
 *
 * @param onDevice which of them it takes in the memory of a GPU
 */
record Place(Predicate<Tensor> onDevice) {
  /** Everything in host memory. */
  static final Place HOST = new Place(tensor -> false);

  /** Where a backend takes them. */
  static Place of(Backend backend) {
    return backend.name().equals("cuda") && Gpu.reads(backend) ? new Place(Tensor::is_cuda) : HOST;
  }

  /** What a layer saw. */
  View sample(Layer layer, Tensor tensor, int[] shape) {
    return device(layer, tensor) ? View.onDevice(tensor, shape, false) : View.onHost(tensor, shape);
  }

  /** A gradient of one of its parameters, which K-FAC rewrites. */
  View gradient(Layer layer, Tensor tensor, int[] shape) {
    return device(layer, tensor) ? View.onDevice(tensor, shape, true) : View.onHost(tensor, shape);
  }

  /** The kinds of layer whose data is rearranged before a backend sees it are read on the host. */
  private boolean device(Layer layer, Tensor tensor) {
    boolean host =
        layer instanceof ConvTranspose2d
            || layer instanceof Embedding
            || layer instanceof ScaleShift;
    return !host && onDevice.test(tensor);
  }
}
