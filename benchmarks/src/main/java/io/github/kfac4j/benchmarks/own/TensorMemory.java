package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Where a backend's tensors live: in a trainer they would lie in its memory already. */
public interface TensorMemory extends AutoCloseable {
  /** Direct buffers of native byte order. */
  TensorMemory HOST =
      new TensorMemory() {
        @Override
        public Tensor tensor(float[] data, int... shape) {
          FloatBuffer buffer =
              ByteBuffer.allocateDirect(4 * data.length)
                  .order(ByteOrder.nativeOrder())
                  .asFloatBuffer();
          buffer.put(0, data);
          return HostTensor.of(buffer, shape);
        }

        @Override
        public void write(Tensor tensor, float[] data) {
          ((HostTensor) tensor).floats().put(0, data);
        }

        @Override
        public float[] read(Tensor tensor) {
          float[] data = new float[Math.toIntExact(tensor.shape().size())];
          ((HostTensor) tensor).floats().get(0, data);
          return data;
        }
      };

  /** A new tensor with this content. */
  Tensor tensor(float[] data, int... shape);

  /** Replaces a tensor's content. */
  void write(Tensor tensor, float[] data);

  /** A copy of a tensor's content. */
  float[] read(Tensor tensor);

  /** Frees the tensors, unless the garbage collector does. */
  @Override
  default void close() {}
}
