package io.github.kfac4j.dl4j;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An array as host memory: its own with its strides, or a row-major copy outside the workspaces
 * that the array may be gone with.
 */
final class HostArray implements AutoCloseable {
  private final INDArray source;
  private final INDArray data;
  private final HostTensor tensor;

  private HostArray(INDArray source, INDArray data) {
    this.source = source;
    this.data = data;
    int[] shape = Shape.ints(data.shape());
    tensor =
        data.dataType() == DataType.DOUBLE
            ? HostTensor.strided(data.data().asNioDouble(), shape, data.stride())
            : HostTensor.strided(data.data().asNioFloat(), shape, data.stride());
  }

  /** Copies an array of whatever strides; fp32, unless it is fp64. */
  @SuppressWarnings("try") // the scope directs what is made inside it
  static HostArray copy(INDArray source) {
    DataType type = source.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    try (MemoryWorkspace scope = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      INDArray data = Nd4j.createUninitialized(type, source.shape(), 'c');
      data.assign(source);
      return new HostArray(source, data);
    }
  }

  /** The memory of an array where it is that of the host and fp32 or fp64, else a copy. */
  static HostArray of(INDArray source) {
    DataType type = source.dataType();
    boolean host = Nd4j.getExecutioner().type() == OpExecutioner.ExecutionerType.NATIVE_CPU;
    return host && (type == DataType.FLOAT || type == DataType.DOUBLE)
        ? new HostArray(source, source)
        : copy(source);
  }

  /** What K-FAC sees by {@link #tensor}: the array itself or the copy. */
  INDArray data() {
    return data;
  }

  /** For K-FAC; valid until this is closed. */
  HostTensor tensor() {
    return tensor;
  }

  /** Makes the array hold what was written. */
  void store() {
    if (data != source) {
      source.assign(data);
    }
  }

  @Override
  public void close() {
    if (data != source && data.closeable()) {
      data.close();
    }
  }
}
