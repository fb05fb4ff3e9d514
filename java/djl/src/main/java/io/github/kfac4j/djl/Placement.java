package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.trainer.OnDevice;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * In which memory K-FAC takes arrays: in that of a GPU, or after a copy in that of the host.
 *
 * @param onDevice which of them it takes in the memory of a GPU
 * @param await lets K-FAC's work on a device wait for what the engine has enqueued there
 */
record Placement(Predicate<NDArray> onDevice, Consumer<Device> await) {
  /** Everything in host memory. */
  static final Placement HOST = new Placement(array -> false, device -> {});

  /** The placement for a backend. */
  static Placement of(Backend backend) {
    if (!backend.name().equals("cuda") || !Gpu.reads(backend)) {
      return HOST;
    }
    return new Placement(
        array -> array.getDevice().isGpu(),
        device -> {
          if (device.isGpu()) {
            Gpu.await(backend, device);
          }
        });
  }

  /** The input of a layer, as its channels arrange it. */
  ArrayView input(Tap tap, NDArray array, int examples, KfacOptions options) {
    return onDevice.test(array)
            && OnDevice.input(tap.name(), tap.layer(), shape(array), examples, options)
        ? new DeviceArray(array, false)
        : new HostArray(tap.name(), "input", array);
  }

  /** The gradient at the output of a layer, as its channels arrange it. */
  ArrayView outputGrad(Tap tap, NDArray array, int examples, KfacOptions options) {
    return onDevice.test(array)
            && OnDevice.outputGrad(tap.name(), tap.layer(), shape(array), examples, options)
        ? new DeviceArray(array, false)
        : new HostArray(tap.name(), "output gradient", array);
  }

  /** A gradient of one of its parameters, which K-FAC rewrites. */
  ArrayView gradient(Tap tap, String what, NDArray array, KfacOptions options) {
    return onDevice.test(array) && OnDevice.gradient(tap.name(), tap.layer(), options)
        ? new DeviceArray(array, true)
        : tap.channels().host(tap.name(), what, array);
  }

  private static Shape shape(NDArray array) {
    return Shape.of(Shape.ints(array.getShape().getShape()));
  }
}
