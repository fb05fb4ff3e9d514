package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Weights as bytes: one tensor after the other, each in its own precision. */
final class Weights {
  private Weights() {}

  static ByteBuffer encode(Map<String, List<HostTensor>> weights) {
    ByteBuffer bytes = Buffers.bytes(size(weights));
    weights.values().stream().flatMap(List::stream).forEach(tensor -> encode(tensor, bytes));
    return bytes.flip();
  }

  private static void encode(HostTensor tensor, ByteBuffer bytes) {
    if (tensor.isDouble()) {
      bytes.asDoubleBuffer().put(tensor.toArray());
    } else {
      tensor.read(0, bytes.asFloatBuffer().limit(tensor.size()));
    }
    bytes.position(bytes.position() + size(tensor));
  }

  static void decode(ByteBuffer bytes, Map<String, List<HostTensor>> weights) {
    for (List<HostTensor> tensors : weights.values()) {
      for (HostTensor tensor : tensors) {
        double[] values = new double[tensor.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = tensor.isDouble() ? bytes.getDouble() : bytes.getFloat();
        }
        tensor.write(0, values, 0, values.length);
      }
    }
  }

  static int size(Map<String, List<HostTensor>> weights) {
    return weights.values().stream().flatMap(List::stream).mapToInt(Weights::size).sum();
  }

  private static int size(HostTensor tensor) {
    return Math.multiplyExact(tensor.size(), tensor.isDouble() ? Double.BYTES : Float.BYTES);
  }
}
