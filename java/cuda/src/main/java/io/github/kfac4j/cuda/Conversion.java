package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.natives.kfac_convert_request;
import io.github.kfac4j.cuda.natives.kfac_cuda;

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

  void copy(Place from, Place to, long rows, long cols) {
    try (kfac_convert_request request = new kfac_convert_request()) {
      request
          .from(Address.pointer(from.address()))
          .to(Address.pointer(to.address()))
          .rows(rows)
          .columns(cols)
          .from_pitch(from.pitch())
          .to_pitch(to.pitch())
          .from_dtype(from.dtype())
          .to_dtype(to.dtype());
      call.kernels(
          "kfac_convert",
          rows + " x " + cols,
          () -> kfac_cuda.kfac_convert_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_convert(request, 1, workspace, bytes, call.context().stream()));
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
