package io.github.kfac4j.pytorch;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A tensor of PyTorch as one of K-FAC: its own memory where it is contiguous, of a type that K-FAC
 * takes and in a place that K-FAC reaches, else a copy that can be written back.
 */
final class View implements AutoCloseable {
  private final org.bytedeco.pytorch.Tensor source;
  private final org.bytedeco.pytorch.Tensor data;
  private final Tensor tensor;

  private View(
      org.bytedeco.pytorch.Tensor source, org.bytedeco.pytorch.Tensor data, Tensor tensor) {
    this.source = source;
    this.data = data;
    this.tensor = tensor;
  }

  /** In host memory, as fp32 or fp64. */
  static View onHost(org.bytedeco.pytorch.Tensor source, int[] shape) {
    org.bytedeco.pytorch.Tensor data =
        Kept.keep(() -> source.detach().cpu().to(hostType(source)).contiguous());
    HostTensor tensor =
        data.scalar_type().intern() == ScalarType.Double
            ? HostTensor.of(data.data_ptr_double().capacity(data.numel()).asBuffer(), shape)
            : HostTensor.of(data.data_ptr_float().capacity(data.numel()).asBuffer(), shape);
    return new View(source, data, tensor);
  }

  private static ScalarType hostType(org.bytedeco.pytorch.Tensor source) {
    return switch (source.scalar_type().intern()) {
      case Double, Long, Int, Short, Byte, Char -> ScalarType.Double; // holds all row numbers
      default -> ScalarType.Float;
    };
  }

  /**
   * In the memory of a GPU.
   *
   * @param fp32 whether no other type will do
   */
  static View onDevice(org.bytedeco.pytorch.Tensor source, int[] shape, boolean fp32) {
    org.bytedeco.pytorch.Tensor data =
        Kept.keep(() -> source.detach().to(deviceType(source, fp32)).contiguous());
    return new View(source, data, Gpu.tensor(data, shape));
  }

  private static ScalarType deviceType(org.bytedeco.pytorch.Tensor source, boolean fp32) {
    ScalarType type = source.scalar_type().intern();
    boolean half = type == ScalarType.BFloat16 || type == ScalarType.Half;
    return half && !fp32 ? type : ScalarType.Float;
  }

  /** For K-FAC; valid until the view is closed. */
  Tensor tensor() {
    return tensor;
  }

  /** What K-FAC reads and writes. */
  org.bytedeco.pytorch.Tensor data() {
    return data;
  }

  /** Makes the tensor of PyTorch hold what K-FAC has written. */
  void store() {
    if (data.data_ptr().address() != source.data_ptr().address()) {
      source.copy_(data);
    }
  }

  @Override
  public void close() {
    data.close();
  }
}
