package io.github.kfac4j.pytorch;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.Backends;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** Where networks are, and the backends for them. */
final class Devices {
  private static final System.Logger LOG = System.getLogger(TorchKfac.class.getName());

  private Devices() {}

  /** The fastest backend for a network. */
  static Backend backend(Module net) {
    int device = of(net);
    if (device >= 0) {
      try {
        return Gpu.open(device);
      } catch (BackendUnavailableException | LinkageError e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "the network is on a GPU, but K-FAC takes its tensors through the host: add kfac-cuda"
                + " and its natives ({0})",
            e.getMessage());
      }
    }
    return Backends.best();
  }

  /** The GPU that holds a network's parameters; -1 if it is on the CPU. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static int of(Module net) {
    try (PointerScope scope = new PointerScope()) {
      TensorVector parameters = net.parameters();
      return parameters.empty() ? -1 : of(parameters.get(0));
    }
  }

  /** The GPU that holds a tensor; -1 if it is on the CPU. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static int of(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return tensor.is_cuda() ? tensor.device().index() : -1;
    }
  }
}
