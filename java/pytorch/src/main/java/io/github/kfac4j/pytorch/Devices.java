package io.github.kfac4j.pytorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** Where networks are. */
final class Devices {
  private Devices() {}

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
