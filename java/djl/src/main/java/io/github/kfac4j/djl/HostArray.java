package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An NDArray as host memory: its own if it lies on the host, whatever its strides, else a row-major
 * copy.
 */
final class HostArray implements ArrayView {
  /** A buffer counts its bytes in an int. */
  private static final long MOST_BYTES = Integer.MAX_VALUE;

  /** libtorch's usual layout of memory, neither sparse nor that of a library. */
  private static final int STRIDED = 0;

  private final NDArray array;
  private final ByteBuffer bytes;
  private final boolean copy;
  private final HostTensor tensor;

  /**
   * Views or copies an array.
   *
   * @param layer for errors
   * @param what the array is, for errors
   * @param array attached to a manager of the caller, which will own the copy too
   */
  HostArray(String layer, String what, NDArray array) {
    this(layer, what, array, extents(array));
  }

  private static int[] extents(NDArray array) {
    return Shape.ints(array.getShape().getShape());
  }

  /** Views or copies an array, as a tensor of another shape of the same size. */
  HostArray(String layer, String what, NDArray array, int... shape) {
    DataType type = array.getDataType();
    if (type != DataType.FLOAT32 && type != DataType.FLOAT64) {
      throw new IllegalArgumentException(
          "layer '%s': %s is of type %s, expected FLOAT32 or FLOAT64"
              .formatted(layer, what, type.name()));
    }
    this.array = array;
    long[] strides = Arrays.equals(shape, extents(array)) ? strides(array) : null;
    if (strides != null) {
      bytes = Torch.memory((PtNDArray) array, type.getNumOfBytes() * reach(shape, strides));
      copy = false;
      tensor =
          type == DataType.FLOAT32
              ? HostTensor.strided(bytes.asFloatBuffer(), shape, strides)
              : HostTensor.strided(bytes.asDoubleBuffer(), shape, strides);
      return;
    }
    NDManager owner = array.getManager();
    // the engine does not say whether it copied, but a copy is one more array of the manager
    int before = owner.getManagedArrays().size();
    bytes = array.toByteBuffer(true);
    copy = owner.getManagedArrays().size() > before;
    tensor =
        type == DataType.FLOAT32
            ? HostTensor.of(bytes.asFloatBuffer(), shape)
            : HostTensor.of(bytes.asDoubleBuffer(), shape);
  }

  /** The strides of an array that can be taken by them; else null. */
  private static long[] strides(NDArray array) {
    PtNDArray own = (PtNDArray) array;
    if (own.getDevice().isGpu() || own.isEmpty() || JniUtils.getLayout(own) != STRIDED) {
      return null;
    }
    try {
      long[] strides = Torch.strides(own);
      boolean fits =
          reach(extents(array), strides) <= MOST_BYTES / array.getDataType().getNumOfBytes();
      return fits ? strides : null;
    } catch (LinkageError e) {
      return null; // a libtorch before 2.2
    }
  }

  /** The number of elements from the first one to the last one in memory. */
  private static long reach(int[] shape, long[] strides) {
    long reach = 1;
    for (int i = 0; i < shape.length; i++) {
      reach += (shape[i] - 1) * strides[i];
    }
    return reach;
  }

  @Override
  public HostTensor tensor() {
    return tensor;
  }

  /** Whether what is written must be stored. */
  boolean isCopy() {
    return copy;
  }

  @Override
  public void store() {
    if (copy) {
      NDManager owner = array.getManager();
      // arithmetic, because copyTo() and set(Buffer) would tie the array's memory to the buffer
      try (NDArray written = owner.create(bytes, array.getShape(), array.getDataType())) {
        array.muli(0).addi(written);
      }
    }
  }
}
