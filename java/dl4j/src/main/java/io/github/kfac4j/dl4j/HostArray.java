package io.github.kfac4j.dl4j;

import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A row-major copy of an array, outside the workspaces that the array may be gone with. */
final class HostArray implements AutoCloseable {
  private final INDArray data;
  private final HostTensor tensor;

  /** Copies an array of whatever strides; fp32, unless it is fp64. */
  @SuppressWarnings("try") // the scope directs what is made inside it
  HostArray(INDArray source) {
    DataType type = source.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    try (MemoryWorkspace scope = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      data = Nd4j.createUninitialized(type, source.shape(), 'c');
      data.assign(source);
    }
    int[] shape = Arrays.stream(source.shape()).mapToInt(Math::toIntExact).toArray();
    tensor =
        type == DataType.DOUBLE
            ? HostTensor.of(data.data().asNioDouble(), shape)
            : HostTensor.of(data.data().asNioFloat(), shape);
  }

  /** The copy; K-FAC sees its memory by {@link #tensor}. */
  INDArray data() {
    return data;
  }

  /** For K-FAC; valid until this is closed. */
  HostTensor tensor() {
    return tensor;
  }

  @Override
  public void close() {
    if (data.closeable()) {
      data.close();
    }
  }
}
