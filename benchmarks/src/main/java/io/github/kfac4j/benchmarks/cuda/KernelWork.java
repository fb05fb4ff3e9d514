package io.github.kfac4j.benchmarks.cuda;

import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;

/** One verb of libkfac_cuda, replayed again and again as a graph between two events. */
final class KernelWork implements Work {
  /** A verb on its requests. */
  @FunctionalInterface
  interface Verb {
    int enqueue(Pointer workspace, long bytes, CUstream_st stream);
  }

  private final Device device;
  private final Verb verb;
  private final long bytes;
  private final Pointer workspace;
  private final IntFunction<float[]> result;
  private Runnable graph;

  KernelWork(Device device, LongSupplier workspace, Verb verb, IntFunction<float[]> result) {
    this.device = device;
    this.verb = verb;
    this.bytes = workspace.getAsLong();
    if (bytes < 0) {
      throw failed((int) bytes);
    }
    this.workspace = device.allocate(bytes);
    this.result = result;
  }

  private static IllegalStateException failed(int code) {
    return new IllegalStateException(
        kfac_cuda.kfac_error_string(code).getString()
            + ": "
            + kfac_cuda.kfac_error_detail().getString());
  }

  private void enqueue() {
    int code = verb.enqueue(workspace, bytes, device.stream());
    if (code != 0) {
      throw failed(code);
    }
  }

  @Override
  public void run() {
    seconds(1);
  }

  /** On the device, from the first kernel's start to the last one's end. */
  @Override
  public double seconds(int calls) {
    if (graph == null) {
      graph = device.graph(this::enqueue);
    }
    return device.seconds(
        () -> {
          for (int i = 0; i < calls; i++) {
            graph.run();
          }
        });
  }

  @Override
  public float[] result(int index) {
    return result.apply(index);
  }

  @Override
  public void close() {
    device.close();
  }
}
