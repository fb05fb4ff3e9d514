package io.github.kfac4j.cuda.calls;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.List;

/** Copies within the device between fp32 and fp64. */
public final class Conversion {
  private final Call call;

  public Conversion(Call call) {
    this.call = call;
  }

  /**
   * Where the elements of a matrix lie on the device.
   *
   * @param dtype KFAC_F32 or KFAC_F64
   * @param pitch the distance of rows in elements
   */
  public record PitchedPointer(long address, int dtype, long pitch) {
    public static PitchedPointer floats(long address, long pitch) {
      return new PitchedPointer(address, kfac_cuda.KFAC_F32, pitch);
    }

    public static PitchedPointer doubles(long address, long pitch) {
      return new PitchedPointer(address, kfac_cuda.KFAC_F64, pitch);
    }
  }

  /** Elements to be copied. */
  public record Copy(PitchedPointer from, PitchedPointer to, long rows, long cols) {}

  public void copy(PitchedPointer from, PitchedPointer to, long rows, long cols) {
    copy(List.of(new Copy(from, to, rows, cols)));
  }

  /** All in one launch. */
  public void copy(List<Copy> copies) {
    int count = copies.size();
    if (count == 0) {
      return;
    }
    Copy only = copies.get(0);
    call.run(
        Verb.CONVERT,
        count > 1 ? count + " copies" : only.rows + " x " + only.cols,
        count,
        (request, i) -> {
          Copy copy = copies.get(i);
          request
              .from(Address.pointer(copy.from.address()))
              .to(Address.pointer(copy.to.address()))
              .rows(copy.rows)
              .columns(copy.cols)
              .from_pitch(copy.from.pitch())
              .to_pitch(copy.to.pitch())
              .from_dtype(copy.from.dtype())
              .to_dtype(copy.to.dtype());
        });
  }

  /** All elements of a stack in fp64: where they are, or else copied to scratch memory. */
  public long doubles(MatrixStack stack) {
    CudaMatrixStack own = call.stack(stack);
    if (own.isDouble()) {
      return own.address();
    }
    long copy = call.take((long) own.size() * Double.BYTES);
    int size = own.size();
    copy(PitchedPointer.floats(own.address(), size), PitchedPointer.doubles(copy, size), 1, size);
    return copy;
  }
}
