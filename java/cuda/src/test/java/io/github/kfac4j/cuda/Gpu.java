package io.github.kfac4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/** Device memory as a trainer would hold it: from CUDA itself, not from the backend. */
final class Gpu implements AutoCloseable {
  private final Pointer memory = new FloatPointer();
  private final long bytes;

  private Gpu(long bytes) {
    this.bytes = bytes;
    assertThat(cudaMalloc(memory, bytes)).isZero();
  }

  static Gpu floats(double[] values) {
    Gpu gpu = new Gpu((long) values.length * Float.BYTES);
    gpu.write(values);
    return gpu;
  }

  void write(double[] values) {
    assertThat((long) values.length * Float.BYTES).isEqualTo(bytes);
    try (FloatPointer host = new FloatPointer(values.length)) {
      for (int i = 0; i < values.length; i++) {
        host.put(i, (float) values[i]);
      }
      copy(memory, host, cudaMemcpyHostToDevice);
    }
  }

  /** Bit patterns of 16-bit numbers. */
  static Gpu shorts(short[] values) {
    Gpu gpu = new Gpu((long) values.length * Short.BYTES);
    try (ShortPointer host = new ShortPointer(values)) {
      gpu.copy(gpu.memory, host, cudaMemcpyHostToDevice);
    }
    return gpu;
  }

  FloatPointer pointer() {
    return new FloatPointer(memory);
  }

  double[] read() {
    int size = (int) (bytes / Float.BYTES);
    double[] values = new double[size];
    try (FloatPointer host = new FloatPointer(size)) {
      copy(host, memory, cudaMemcpyDeviceToHost);
      for (int i = 0; i < size; i++) {
        values[i] = host.get(i);
      }
    }
    return values;
  }

  private void copy(Pointer to, Pointer from, int kind) {
    assertThat(cudaMemcpyAsync(to, from, bytes, kind)).isZero(); // on the default stream
    assertThat(cudaStreamSynchronize(null)).isZero();
  }

  @Override
  public void close() {
    assertThat(cudaFree(memory)).isZero();
  }
}
