package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMajor;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMinor;
import static org.bytedeco.cuda.global.cudart.cudaDeviceGetAttribute;
import static org.bytedeco.cuda.global.cudart.cudaGetDeviceProperties;

import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;

/** Loads the kernels and CUDA's libraries and looks for a device, once. */
public final class CudaLibrary {
  /** The oldest chip that the kernels are built for. */
  private static final int OLDEST = 80;

  /** Lets tests run on the emulated kernels, which are of no use otherwise. */
  public static final String EMULATION = "io.github.kfac4j.cuda.emulation";

  private static String failure;
  private static boolean tried;

  private CudaLibrary() {}

  /** Why CUDA cannot be used, in one line with the deepest cause and the remedy; null if it can. */
  public static synchronized String failure() {
    if (!tried) {
      tried = true;
      failure = probe();
    }
    return failure;
  }

  private static String probe() {
    String kernels = guarded(CudaLibrary::kernels, CudaLibrary::kernelRemedy);
    if (kernels != null) {
      return kernels;
    }
    for (Class<?> library :
        new Class<?>[] {
          org.bytedeco.cuda.global.cudart.class,
          org.bytedeco.cuda.global.cublas.class,
          org.bytedeco.cuda.global.cusolver.class
        }) {
      String missing =
          guarded(
              () -> {
                Loader.load(library);
                return null;
              },
              () -> "install the CUDA 13 toolkit, or set LD_LIBRARY_PATH to its libraries");
      if (missing != null) {
        return missing;
      }
    }
    if (emulated()) {
      System.getLogger(CudaLibrary.class.getName())
          .log(System.Logger.Level.WARNING, "cuda: {0}", details());
    }
    return tooOld();
  }

  private static String kernels() {
    int abi = kfac_cuda.kfac_cuda_abi();
    if (abi != kfac_cuda.KFAC_CUDA_ABI) {
      return "libkfac_cuda has interface %d but this build needs %d; use jars of the same version"
          .formatted(abi, kfac_cuda.KFAC_CUDA_ABI);
    }
    if (emulated() && !Boolean.getBoolean(EMULATION)) {
      return "the kernels on the class path are the emulation, which is for tests only;"
          + " use the jar kfac-cuda with the classifier linux-x86_64";
    }
    try (IntPointer count = new IntPointer(1)) {
      int code = kfac_cuda.kfac_cuda_device_count(count);
      if (code != 0) {
        return "CUDA error %d: %s; it needs an NVIDIA GPU and a driver for CUDA 13 (580 or newer)"
            .formatted(code, kfac_cuda.kfac_error_string(code).getString());
      }
      return count.get() > 0 ? null : "there is no NVIDIA GPU; it needs one of sm_80 or newer";
    }
  }

  /** Whether the kernels are emulated on the CPU. */
  static boolean emulated() {
    return build().startsWith("emulated");
  }

  /** Compiler and architectures of the kernels. */
  static String build() {
    return kfac_cuda.kfac_cuda_build().getString();
  }

  /** The device and the kernels, in a few words. */
  static String details() {
    if (emulated()) {
      return "kernels emulated on the CPU, for tests: not a GPU";
    }
    try (cudaDeviceProp device = new cudaDeviceProp()) {
      return cudaGetDeviceProperties(device, 0) != 0
          ? build()
          : "%s, compute capability %d.%d, %d MiB; kernels: %s"
              .formatted(
                  device.name().getString(),
                  device.major(),
                  device.minor(),
                  device.totalGlobalMem() >> 20,
                  build());
    }
  }

  private static String tooOld() {
    int[] major = new int[1];
    int[] minor = new int[1];
    cudaDeviceGetAttribute(major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(minor, cudaDevAttrComputeCapabilityMinor, 0);
    int chip = 10 * major[0] + minor[0];
    return chip >= OLDEST
        ? null
        : "the GPU is of compute capability %d.%d; it needs 8.0 (Ampere) or newer"
            .formatted(major[0], minor[0]);
  }

  /**
   * What an attempt to load a library says, or why it could not be made and what to do.
   *
   * @param attempt returns null if all is well
   * @param remedy is asked if it throws
   */
  public static String guarded(Supplier<String> attempt, Supplier<String> remedy) {
    try {
      return attempt.get();
    } catch (LinkageError | RuntimeException e) {
      return deepest(e) + "; " + remedy.get();
    }
  }

  /** The deepest cause in one line; it names the library that is missing. */
  private static String deepest(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.replaceAll("\\S*/(lib\\w+\\.so): ", "$1: ").replaceAll("\\s+", " ").strip();
  }

  private static String kernelRemedy() {
    String built = built();
    return built == null
        ? "libkfac_cuda needs the jar kfac-cuda with the classifier linux-x86_64 and javacpp's"
        : "this build has no libkfac_cuda (%s); build it with the CUDA 13 toolkit installed"
            .formatted(built);
  }

  /** What the native build says about itself; null if its jar is missing or is complete. */
  static String built() {
    try (InputStream in =
        kfac_cuda
            .class
            .getClassLoader()
            .getResourceAsStream("io/github/kfac4j/cuda/natives/linux-x86_64/built.txt")) {
      String line =
          in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
      return line == null || line.startsWith("built") ? null : line;
    } catch (IOException e) {
      return null;
    }
  }
}
