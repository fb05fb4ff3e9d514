package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * An NDArray in the memory of a GPU: its own memory if it is contiguous and of a type that K-FAC
 * takes there, else a copy in that memory.
 */
final class DeviceArray implements ArrayView {
  private final NDArray array;
  private final NDArray data;
  private final Tensor tensor;

  /**
   * Views or copies an array.
   *
   * @param array attached to a manager of the caller, which will own the copy too
   * @param fp32 whether no other type will do
   * @throws LinkageError if this libtorch does not tell where arrays lie
   */
  DeviceArray(NDArray array, boolean fp32) {
    this.array = array;
    DataType own = array.getDataType();
    boolean half = own == DataType.FLOAT16 || own == DataType.BFLOAT16;
    NDArray typed = half && !fp32 ? array : array.toType(DataType.FLOAT32, false);
    // flattening copies what does not lie row by row
    this.data = Torch.isContiguous((PtNDArray) typed) ? typed : typed.flatten();
    int[] shape = Shape.ints(array.getShape().getShape());
    this.tensor = Gpu.tensor(Torch.address((PtNDArray) data), typed.getDataType(), shape);
  }

  /** What K-FAC reads and writes. */
  NDArray data() {
    return data;
  }

  @Override
  public Tensor tensor() {
    return tensor;
  }

  @Override
  public void store() {
    if (data != array) {
      NDArray written = data.reshape(array.getShape()).toType(array.getDataType(), false);
      array.muli(0).addi(written);
    }
  }
}
