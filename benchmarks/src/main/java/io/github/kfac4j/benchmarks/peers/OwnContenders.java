package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.benchmarks.cuda.CudaMemory;
import io.github.kfac4j.benchmarks.cuda.KernelContender;
import io.github.kfac4j.benchmarks.own.KfacContender;
import io.github.kfac4j.benchmarks.own.TensorMemory;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.cpu.CpuBackend;
import io.github.kfac4j.cuda.CudaBackend;
import java.util.List;
import java.util.Map;

/** The backends of this library by name, beside which the {@link Peers} are measured. */
public final class OwnContenders {
  private OwnContenders() {}

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
}
