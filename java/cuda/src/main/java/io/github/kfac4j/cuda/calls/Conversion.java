package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.natives.kfac_convert_request;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.List;

/** Copies within the device between fp32 and fp64. */
final class Conversion {
  private final Call call;

  Conversion(Call call) {
    this.call = call;
  }

  /**
   * Elements of a matrix on the device.
   *
   * @param dtype KFAC_F32 or KFAC_F64
   * @param pitch the distance of rows in elements
   */
  record Place(long address, int dtype, long pitch) {
    static Place floats(long address, long pitch) {
      return new Place(address, kfac_cuda.KFAC_F32, pitch);
    }

    static Place doubles(long address, long pitch) {
      return new Place(address, kfac_cuda.KFAC_F64, pitch);
    }
  }

  /** Elements to be copied. */
  record Copy(Place from, Place to, long rows, long cols) {}

  void copy(Place from, Place to, long rows, long cols) {
    copy(List.of(new Copy(from, to, rows, cols)));
  }

  /** All in one launch. */
  void copy(List<Copy> copies) {
    int count = copies.size();
    if (count == 0) {
      return;
    }
    try (kfac_convert_request requests = new kfac_convert_request(count)) {
      for (int i = 0; i < count; i++) {
        Copy copy = copies.get(i);
        requests
            .position(i)
            .from(Address.pointer(copy.from.address()))
            .to(Address.pointer(copy.to.address()))
            .rows(copy.rows)
            .columns(copy.cols)
            .from_pitch(copy.from.pitch())
            .to_pitch(copy.to.pitch())
            .from_dtype(copy.from.dtype())
            .to_dtype(copy.to.dtype());
      }
      requests.position(0);
      call.kernels(
          "kfac_convert",
          copies.size() > 1 ? count + " copies" : copies.get(0).rows + " x " + copies.get(0).cols,
          () -> kfac_cuda.kfac_convert_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_convert(requests, count, workspace, bytes, call.context().stream()));
    }
  }

  /** All elements of a stack in fp64: where they are, or else copied to scratch memory. */
  long doubles(MatrixStack stack) {
    CudaMatrixStack own = call.stack(stack);
    if (own.isDouble()) {
      return own.address();
    }
    long copy = call.take((long) own.size() * Double.BYTES);
    int size = own.size();
    copy(Place.floats(own.address(), size), Place.doubles(copy, size), 1, size);
    return copy;
  }
}
