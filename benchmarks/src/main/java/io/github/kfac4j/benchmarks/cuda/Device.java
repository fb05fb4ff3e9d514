package io.github.kfac4j.benchmarks.cuda;

import static org.bytedeco.cuda.global.cudart.cudaEventCreate;
import static org.bytedeco.cuda.global.cudart.cudaEventDestroy;
import static org.bytedeco.cuda.global.cudart.cudaEventElapsedTime;
import static org.bytedeco.cuda.global.cudart.cudaEventRecord;
import static org.bytedeco.cuda.global.cudart.cudaEventSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaGraphDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphExecDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphInstantiate;
import static org.bytedeco.cuda.global.cudart.cudaGraphLaunch;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMemcpy;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamBeginCapture;
import static org.bytedeco.cuda.global.cudart.cudaStreamCaptureModeThreadLocal;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamEndCapture;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** Memory of the first GPU, a stream and a stop watch on it; {@link #close} frees everything. */
final class Device implements AutoCloseable {
  private final List<Pointer> allocations = new ArrayList<>();
  private final CUstream_st stream = new CUstream_st();
  private final CUevent_st start = new CUevent_st();
  private final CUevent_st end = new CUevent_st();
  private final List<CUgraphExec_st> graphs = new ArrayList<>();

  Device() {
    check(cudaStreamCreate(stream), "cudaStreamCreate");
    check(cudaEventCreate(start), "cudaEventCreate");
    check(cudaEventCreate(end), "cudaEventCreate");
  }

  static void check(int code, String what) {
    if (code != 0) {
      throw new IllegalStateException(
          "%s: CUDA error %d, %s".formatted(what, code, cudaGetErrorString(code).getString()));
    }
  }

  CUstream_st stream() {
    return stream;
  }

  /** Memory of any alignment that a kernel asks for; null if there are no bytes. */
  Pointer allocate(long bytes) {
    if (bytes == 0) {
      return null;
    }
    Pointer memory = new Pointer();
    check(cudaMalloc(memory, bytes), "cudaMalloc of %d bytes".formatted(bytes));
    allocations.add(memory);
    return memory;
  }

  FloatPointer floats(long count) {
    return new FloatPointer(allocate(count * Float.BYTES));
  }

  FloatPointer upload(float[] data) {
    FloatPointer memory = floats(data.length);
    set(memory, data);
    return memory;
  }

  static void set(Pointer memory, float[] data) {
    try (FloatPointer host = new FloatPointer(data)) {
      long bytes = (long) data.length * Float.BYTES;
      check(cudaMemcpy(memory, host, bytes, cudaMemcpyHostToDevice), "cudaMemcpy to the device");
    }
  }

  static float[] get(Pointer memory, int count) {
    try (FloatPointer host = new FloatPointer(count)) {
      long bytes = (long) count * Float.BYTES;
      check(cudaMemcpy(host, memory, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy to the host");
      float[] data = new float[count];
      host.get(data);
      return data;
    }
  }

  /**
   * What is enqueued, to be done again and again without the host's part of it. It is done once
   * before: CUDA loads a kernel at its first launch, which a capture may refuse.
   */
  Runnable graph(Runnable enqueue) {
    enqueue.run();
    CUgraph_st graph = new CUgraph_st();
    check(
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue.run();
    check(cudaStreamEndCapture(stream, graph), "cudaStreamEndCapture");
    CUgraphExec_st executable = new CUgraphExec_st();
    check(cudaGraphInstantiate(executable, graph, 0), "cudaGraphInstantiate");
    graphs.add(executable);
    check(cudaGraphDestroy(graph), "cudaGraphDestroy");
    return () -> check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
  }

  /** Seconds between two events around what is enqueued. */
  double seconds(Runnable enqueue) {
    check(cudaEventRecord(start, stream), "cudaEventRecord");
    enqueue.run();
    check(cudaEventRecord(end, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float[] milliseconds = new float[1];
    check(cudaEventElapsedTime(milliseconds, start, end), "cudaEventElapsedTime");
    return milliseconds[0] * 1e-3;
  }

  @Override
  public void close() {
    allocations.forEach(memory -> check(cudaFree(memory), "cudaFree"));
    allocations.clear();
    graphs.forEach(graph -> check(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy"));
    graphs.clear();
    check(cudaEventDestroy(start), "cudaEventDestroy");
    check(cudaEventDestroy(end), "cudaEventDestroy");
    check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  }
}
