package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.Model;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.Backends;

/** Where models are, and the backends for them. */
final class Devices {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private Devices() {}

  /** The fastest backend for a model: on a GPU that of CUDA. */
  static Backend backend(Model model) {
    Device device = model.getNDManager().getDevice();
    if (device.isGpu()) {
      try {
        return Gpu.open(device.getDeviceId());
      } catch (BackendUnavailableException | LinkageError e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "the model is on a GPU, but K-FAC takes its arrays through the host: add kfac-cuda and"
                + " its natives ({0})",
            e.getMessage());
      }
    }
    return Backends.best();
  }
}
