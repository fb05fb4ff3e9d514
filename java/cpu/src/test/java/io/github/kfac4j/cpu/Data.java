package io.github.kfac4j.cpu;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The same numbers in every kind of memory that a trainer may hand over. */
final class Data {
  private Data() {}

  /** Direct fp32 of native byte order. */
  static HostTensor direct(double[] values) {
    return direct(values, ByteOrder.nativeOrder());
  }

  /** On the heap, in fp64, in the other byte order, and with gaps: kinds that need conversion. */
  static List<HostTensor> converted(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    return List.of(
        HostTensor.of(floats, floats.length),
        HostTensor.of(values.clone(), values.length),
        direct(values, little ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN),
        MemoryLayout.SLICED.copy(direct(values), false));
  }

  private static HostTensor direct(double[] values, ByteOrder order) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Float.BYTES * values.length).order(order);
    HostTensor tensor = HostTensor.of(bytes.asFloatBuffer(), values.length);
    tensor.write(0, values, 0, values.length);
    return tensor;
  }
}
