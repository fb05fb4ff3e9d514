package io.github.kfac4j.pytorch;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A tensor of PyTorch as one of K-FAC: its own memory, whatever its strides, where it is of a type
 * that K-FAC takes and in a place that K-FAC reaches, else a copy that can be written back.
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
    long[] extents = Arrays.stream(shape).asLongStream().toArray();
    org.bytedeco.pytorch.Tensor data =
        Kept.keep(() -> compact(source.detach().cpu().to(hostType(source)).reshape(extents)));
    long[] strides = Sizes.strides(data);
    long reach = Sizes.reach(shape, strides);
    HostTensor tensor =
        data.scalar_type().intern() == ScalarType.Double
            ? HostTensor.strided(data.data_ptr_double().capacity(reach).asBuffer(), shape, strides)
            : HostTensor.strided(data.data_ptr_float().capacity(reach).asBuffer(), shape, strides);
    return new View(source, data, tensor);
  }

  /** Not further apart than a buffer reaches, which counts bytes in an int. */
  private static org.bytedeco.pytorch.Tensor compact(org.bytedeco.pytorch.Tensor tensor) {
    long reach = Sizes.reach(Sizes.ints(Sizes.of(tensor)), Sizes.strides(tensor));
    return reach * tensor.element_size() > Integer.MAX_VALUE ? tensor.contiguous() : tensor;
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
  @SuppressWarnings("try") // the scope frees what is made inside it
  void store() {
    try (PointerScope scope = new PointerScope()) {
      if (data.data_ptr().address() != source.data_ptr().address()) {
        source.copy_(data.reshape(Sizes.of(source)));
      }
    }
  }

  @Override
  public void close() {
    data.close();
  }
}
