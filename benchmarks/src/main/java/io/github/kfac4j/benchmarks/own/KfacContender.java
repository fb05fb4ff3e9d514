package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.cuda.CudaMemory;
import io.github.kfac4j.benchmarks.cuda.KernelContender;
import io.github.kfac4j.benchmarks.peers.Peers;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.cpu.CpuBackend;
import io.github.kfac4j.cuda.CudaBackend;
import java.util.List;
import java.util.Map;

/** A backend of this library. */
public final class KfacContender implements Contender {
  private final Backend backend;
  private final TensorMemory memory;

  /** A backend and where its tensors live; it closes both. */
  public KfacContender(Backend backend, TensorMemory memory) {
    this.backend = backend;
    this.memory = memory;
  }

  /**
   * The backend of this name; {@code threads} concerns the CPU backend. Tensors of {@code cuda} lie
   * on the device, those of {@code cuda-host} on the host; {@code cuda-cusolver} inverts by
   * cuSOLVER. {@value KernelContender#NAME} and what begins with it are kernels of the CUDA backend
   * alone. {@code java-vector} is the pure-Java backend in a JVM with the Vector API.
   */
  public static Contender open(String name, int threads) {
    if (name.startsWith(KernelContender.NAME)) {
      return new KernelContender(name);
    }
    return switch (name) {
      case "java-vector" ->
          Peers.inJvm("java", threads, List.of("--add-modules", "jdk.incubator.vector"), Map.of());
      case "cpu" -> new KfacContender(new CpuBackend(threads), TensorMemory.HOST);
      case "cuda" -> new KfacContender(Backends.require(name), new CudaMemory());
      case "cuda-cusolver" -> new KfacContender(cuda().withCusolverInverses(), new CudaMemory());
      case "cuda-host" -> new KfacContender(Backends.require("cuda"), TensorMemory.HOST);
      default -> new KfacContender(Backends.require(name), TensorMemory.HOST);
    };
  }

  private static CudaBackend cuda() {
    return (CudaBackend) Backends.require("cuda");
  }

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public String version() {
    return "kfac4j";
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof ConvCase conv) {
      return conv.verb().equals(Case.PATCHES)
          ? new PatchWork(backend, memory, conv, seed)
          : new MomentWork(backend, memory, conv, seed);
    }
    if (c instanceof DenseCase dense) {
      return new MomentWork(backend, memory, dense, seed);
    }
    if (c instanceof InverseCase inverse) {
      return new InverseWork(backend, inverse, seed);
    }
    if (c instanceof PreconditionCase precondition) {
      return new PreconditionWork(backend, memory, precondition, seed);
    }
    NetworkCase network = (NetworkCase) c;
    return switch (c.verb()) {
      case Case.STEP -> new StepWork(backend, memory, network, seed);
      case Case.TRAINING -> new TrainingWork(backend, network, seed);
      default -> new NetworkPreconditionWork(backend, memory, network, seed);
    };
  }

  @Override
  public void close() {
    backend.close();
    memory.close();
  }

  /** A stack of one matrix with this content. */
  static MatrixStack stack(Backend backend, float[] data, int rows, int cols) {
    MatrixStack stack = backend.allocate(1, rows, cols);
    stack.set(widened(data));
    return stack;
  }

  static double[] widened(float[] data) {
    double[] wide = new double[data.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = data[i];
    }
    return wide;
  }

  static float[] narrowed(double[] data) {
    float[] narrow = new float[data.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) data[i];
    }
    return narrow;
  }
}
