package io.github.kfac4j.cuda.context;

import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_ALLOC_FAILED;
import static org.bytedeco.cuda.global.cublas.cublasGetStatusName;
import static org.bytedeco.cuda.global.cudart.cudaDeviceSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorName;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaGetLastError;
import static org.bytedeco.cuda.global.cudart.cudaMemGetInfo;
import static org.bytedeco.cuda.global.cusolver.CUSOLVER_STATUS_ALLOC_FAILED;

import io.github.kfac4j.cuda.CudaException;
import io.github.kfac4j.cuda.CudaOutOfMemoryException;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;

/** The one place where statuses of CUDA's libraries are looked at. */
public final class Check {
  private static final int OUT_OF_MEMORY = 2;

  private CudaException fatal;

  /**
   * Throws unless a call of the CUDA runtime succeeded.
   *
   * @param what the shapes or sizes it was about
   */
  public void runtime(int code, String function, String what) {
    if (code == 0) {
      return;
    }
    String name = cudaGetErrorName(code).getString() + ": " + cudaGetErrorString(code).getString();
    fail(code, function, name, what, code == OUT_OF_MEMORY);
  }

  /** Throws unless a call of libkfac_cuda succeeded. */
  public void kernels(int code, String function, String what) {
    if (code > 0) {
      runtime(code, function, what);
    } else if (code < 0) {
      String name = kfac_cuda.kfac_error_string(code).getString();
      String detail = kfac_cuda.kfac_error_detail().getString();
      fail(code, function, detail.isEmpty() ? name : name + ": " + detail, what, false);
    }
  }

  /** Throws unless a call of cuBLAS succeeded. */
  public void blas(int code, String function, String what) {
    if (code != 0) {
      String name = cublasGetStatusName(code).getString();
      fail(code, function, name, what, code == CUBLAS_STATUS_ALLOC_FAILED);
    }
  }

  /** Throws unless a call of cuSOLVER succeeded. */
  public void solver(int code, String function, String what) {
    if (code != 0) {
      fail(code, function, "cuSOLVER status", what, code == CUSOLVER_STATUS_ALLOC_FAILED);
    }
  }

  /** Throws if an earlier error was fatal. */
  void usable() {
    if (fatal != null) {
      throw new CudaException(
          fatal.function(),
          fatal.code(),
          "the CUDA context of this process is lost, start a new one; the cause: "
              + fatal.getMessage(),
          true);
    }
  }

  private void fail(int code, String function, String name, String what, boolean memory) {
    String message = "%s failed with %d (%s): %s".formatted(function, code, name, what);
    cudaGetLastError(); // a recoverable error is not reported again by later calls
    if (memory) {
      throw new CudaOutOfMemoryException(function, code, message + memory());
    }
    // a fatal one comes back from every call
    boolean lost = cudaDeviceSynchronize() != 0;
    CudaException failure = new CudaException(function, code, message, lost);
    if (lost) {
      fatal = failure;
    }
    throw failure;
  }

  /** Free memory of the current device; as much as can be if it does not say. */
  public static long freeBytes() {
    long[] bytes = memoryInfo();
    return bytes == null ? Long.MAX_VALUE : bytes[0];
  }

  private static String memory() {
    long[] bytes = memoryInfo();
    return bytes == null
        ? ""
        : "; %d of the device's %d MiB are free".formatted(bytes[0] >> 20, bytes[1] >> 20);
  }

  /** Free and total memory of the current device; null if it does not say. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  private static long[] memoryInfo() {
    try (PointerScope scope = new PointerScope()) {
      SizeTPointer free = new SizeTPointer(1);
      SizeTPointer total = new SizeTPointer(1);
      return cudaMemGetInfo(free, total) != 0 ? null : new long[] {free.get(), total.get()};
    }
  }
}
