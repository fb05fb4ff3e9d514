package io.github.kfac4j.pytorch;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cuda.CudaBackend;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.DeviceTensor.Type;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.cuda.CUDAStream;
import org.bytedeco.pytorch.global.torch_cuda;

/** Networks on a GPU; the one place that knows {@code kfac-cuda}, which is loaded with it. */
final class Gpu {
  private Gpu() {}

  /** Opens the CUDA backend on PyTorch's current stream of a device. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static Backend open(int device) {
    try (PointerScope scope = new PointerScope()) {
      CUstream_st stream = torch_cuda.getCurrentCUDAStream((byte) device).stream();
      // the legacy default stream, which PyTorch starts with, is no stream: all others wait for it
      return stream == null || stream.isNull()
          ? new CudaBackend(device)
          : CudaBackend.onStream(device, stream);
    }
  }

  /** Waits for what PyTorch has enqueued on its current stream, whichever that is by now. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static void await(int device) {
    try (PointerScope scope = new PointerScope()) {
      CUDAStream stream = torch_cuda.getCurrentCUDAStream((byte) device);
      stream.synchronize();
    }
  }

  /** Whether a backend reads the memory of a GPU. */
  static boolean reads(Backend backend) {
    return backend instanceof CudaBackend;
  }

  /** A contiguous tensor where it is. */
  static DeviceTensor tensor(Tensor data, int[] shape) {
    Type type =
        switch (data.scalar_type().intern()) {
          case Float -> Type.F32;
          case BFloat16 -> Type.BF16;
          case Half -> Type.F16;
          default ->
              throw new IllegalArgumentException(
                  "a tensor on a GPU is of type %s, which K-FAC does not read there: use Float"
                      .formatted(data.scalar_type().intern()));
        };
    return DeviceTensor.of(data.data_ptr(), type, shape);
  }
}
