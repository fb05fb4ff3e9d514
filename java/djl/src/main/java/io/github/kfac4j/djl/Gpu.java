package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cuda.CudaBackend;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.DeviceTensor.Type;

/** Models on a GPU; the one place that knows {@code kfac-cuda}, which is loaded with it. */
final class Gpu {
  private Gpu() {}

  /** Opens the CUDA backend on the stream of libtorch. */
  static Backend open(int device) {
    return CudaBackend.onStream(device, Torch.stream(device));
  }

  /** A contiguous array where it is, of fp32 or a half precision. */
  static DeviceTensor tensor(long address, DataType type, int[] shape) {
    return switch (type) {
      case FLOAT16 -> DeviceTensor.of(address, Type.F16, shape);
      case BFLOAT16 -> DeviceTensor.of(address, Type.BF16, shape);
      default -> DeviceTensor.of(address, Type.F32, shape);
    };
  }

  /** Whether a backend reads the memory of a GPU. */
  static boolean reads(Backend backend) {
    return backend instanceof CudaBackend;
  }

  /** Lets a backend's work wait for what libtorch has enqueued so far. */
  static void await(Backend backend, Device device) {
    ((CudaBackend) backend).await(Torch.stream(device.getDeviceId()));
  }
}
