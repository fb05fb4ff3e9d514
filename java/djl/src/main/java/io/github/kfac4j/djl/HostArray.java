package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An NDArray as host memory: a view of its own memory if it lies on the host and is contiguous,
 * else a row-major copy.
 */
final class HostArray implements ArrayView {
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
    return Arrays.stream(array.getShape().getShape()).mapToInt(Math::toIntExact).toArray();
  }

  /** Views or copies an array, as a tensor of another shape of the same size. */
  HostArray(String layer, String what, NDArray array, int... shape) {
    this.array = array;
    NDManager owner = array.getManager();
    // the engine does not say whether it copied, but a copy is one more array of the manager
    int before = owner.getManagedArrays().size();
    this.bytes = array.toByteBuffer(true);
    this.copy = owner.getManagedArrays().size() > before;
    DataType type = array.getDataType();
    this.tensor =
        switch (type) {
          case FLOAT32 -> HostTensor.of(bytes.asFloatBuffer(), shape);
          case FLOAT64 -> HostTensor.of(bytes.asDoubleBuffer(), shape);
          default ->
              throw new IllegalArgumentException(
                  "layer '%s': %s is of type %s, expected FLOAT32 or FLOAT64"
                      .formatted(layer, what, type.name()));
        };
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
