package io.github.kfac4j.cuda.context;

import static org.bytedeco.cuda.global.cublas.CUBLAS_PEDANTIC_MATH;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasDestroy_v2;
import static org.bytedeco.cuda.global.cublas.cublasSetMathMode;
import static org.bytedeco.cuda.global.cublas.cublasSetStream_v2;
import static org.bytedeco.cuda.global.cublas.cublasSetWorkspace_v2;
import static org.bytedeco.cuda.global.cudart.cudaEventCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaEventDestroy;
import static org.bytedeco.cuda.global.cudart.cudaEventDisableTiming;
import static org.bytedeco.cuda.global.cudart.cudaEventRecord;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamGetDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamIsCapturing;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaStreamWaitEvent;
import static org.bytedeco.cuda.global.cusolver.cusolverDnCreate;
import static org.bytedeco.cuda.global.cusolver.cusolverDnDestroy;
import static org.bytedeco.cuda.global.cusolver.cusolverDnSetStream;

import io.github.kfac4j.backend.OneThread;
import io.github.kfac4j.cuda.CudaOutOfMemoryException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cusolver.cusolverDnContext;
import org.bytedeco.javacpp.Pointer;

/**
 * What one backend holds of a device: a stream, the handles of cuBLAS and cuSOLVER on it, scratch
 * memory, pinned staging buffers, and all memory it has allocated.
 */
public final class CudaContext implements AutoCloseable {
  /** Enough for cuBLAS on every chip so far; with memory of its own its results repeat. */
  private static final long BLAS_WORKSPACE = 32L << 20;

  private final Check check = new Check();
  private final OneThread guard = new OneThread("the cuda backend");
  private final Arena scratch = new Arena(this);
  private final ResultMemory inverseResults = new ResultMemory(this);
  private final ResultMemory stepResults = new ResultMemory(this);
  private final int device;
  private final CUstream_st stream;
  private final boolean ownsStream;
  private final Set<Long> allocations = new HashSet<>();
  private Staging staging;
  private cublasContext blas;
  private cusolverDnContext solver;
  private boolean closed;

  /**
   * Opens a device.
   *
   * @param borrowed a stream of the device that stays the caller's; null for one of our own
   * @throws IllegalArgumentException if the stream belongs to another device
   */
  public CudaContext(int device, CUstream_st borrowed) {
    this.device = device;
    this.ownsStream = borrowed == null;
    this.stream = ownsStream ? new CUstream_st() : borrowed;
    check.runtime(cudaSetDevice(device), "cudaSetDevice", "device " + device);
    if (ownsStream) {
      // one that waits for the default stream, on which most trainers work
      check.runtime(cudaStreamCreate(stream), "cudaStreamCreate", "device " + device);
    } else {
      int[] of = new int[1];
      check.runtime(cudaStreamGetDevice(stream, of), "cudaStreamGetDevice", "the caller's stream");
      if (of[0] != device) {
        throw new IllegalArgumentException(
            "the stream belongs to device %d, not to device %d".formatted(of[0], device));
      }
    }
  }

  /** Looks at the statuses of this backend's calls. */
  public Check check() {
    return check;
  }

  /**
   * Runs a call of the backend.
   *
   * @throws IllegalStateException if one is under way on another thread
   */
  public <T> T call(Supplier<T> work) {
    return guard.call(work);
  }

  /** The same for a call without a result. */
  public void run(Runnable work) {
    guard.run(work);
  }

  /** Memory for the duration of one verb. */
  public Arena scratch() {
    return scratch;
  }

  /** Memory for what inversions that are only enqueued will tell. */
  public ResultMemory inverseResults() {
    return inverseResults;
  }

  /** Memory for what steps that are only enqueued will tell. */
  public ResultMemory stepResults() {
    return stepResults;
  }

  public int device() {
    return device;
  }

  public CUstream_st stream() {
    return stream;
  }

  /** To be called before each use: makes the device current for this thread. */
  public void enter() {
    if (closed) {
      throw new IllegalStateException("the CUDA backend is closed");
    }
    check.usable();
    check.runtime(cudaSetDevice(device), "cudaSetDevice", "device " + device);
  }

  public void synchronize() {
    check.runtime(cudaStreamSynchronize(stream), "cudaStreamSynchronize", "work enqueued before");
  }

  /**
   * Waits for what was enqueued, on a stream of our own: a trainer on another one may change its
   * data as soon as a verb returns. On the caller's stream whatever comes next waits anyway.
   */
  public void settle() {
    if (ownsStream) {
      synchronize();
    }
  }

  /** Whether what is enqueued now becomes part of a graph. */
  public boolean capturing() {
    int[] status = new int[1];
    check.runtime(cudaStreamIsCapturing(stream, status), "cudaStreamIsCapturing", "a stream");
    return status[0] != 0;
  }

  /** Lets later work on this stream wait for what another one has enqueued. */
  public void await(CUstream_st other) {
    enter();
    try (CUevent_st event = new CUevent_st()) {
      check.runtime(
          cudaEventCreateWithFlags(event, cudaEventDisableTiming), "cudaEventCreate", "a stream");
      try {
        check.runtime(cudaEventRecord(event, other), "cudaEventRecord", "a trainer's stream");
        check.runtime(cudaStreamWaitEvent(stream, event, 0), "cudaStreamWaitEvent", "a stream");
      } finally {
        cudaEventDestroy(event);
      }
    }
  }

  /**
   * New device memory, freed by {@link #free} or at the latest by {@link #close}.
   *
   * @param what it is for, for the message of the exception
   * @throws CudaOutOfMemoryException if there is not enough
   */
  public long allocate(long bytes, String what) {
    try (Pointer pointer = Address.pointer(0)) {
      int code = cudaMalloc(pointer, Math.max(1, bytes));
      check.runtime(code, "cudaMalloc", bytes + " bytes for " + what);
      allocations.add(pointer.address());
      return pointer.address();
    }
  }

  /** Frees memory that {@link #allocate} gave; nothing happens if it is free already. */
  public void free(long address) {
    if (allocations.remove(address)) {
      if (!ownsStream && !closed) {
        cudaStreamSynchronize(stream); // verbs did not wait for work that uses it
      }
      cudaFree(Address.pointer(address)); // an error here is one of work before, and shows there
    }
  }

  public Staging staging() {
    if (staging == null) {
      staging = new Staging(this);
    }
    return staging;
  }

  public cublasContext blas() {
    if (blas == null) {
      cublasContext handle = new cublasContext();
      check.blas(cublasCreate_v2(handle), "cublasCreate", "device " + device);
      blas = handle;
      check.blas(cublasSetStream_v2(blas, stream), "cublasSetStream", "device " + device);
      long workspace = allocate(BLAS_WORKSPACE, "the workspace of cuBLAS");
      check.blas(
          cublasSetWorkspace_v2(blas, Address.pointer(workspace), BLAS_WORKSPACE),
          "cublasSetWorkspace",
          BLAS_WORKSPACE + " bytes");
      // fp32 as it is, whatever the environment says about TF32
      check.blas(cublasSetMathMode(blas, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode", "pedantic");
    }
    return blas;
  }

  public cusolverDnContext solver() {
    if (solver == null) {
      cusolverDnContext handle = new cusolverDnContext();
      check.solver(cusolverDnCreate(handle), "cusolverDnCreate", "device " + device);
      solver = handle;
      check.solver(cusolverDnSetStream(solver, stream), "cusolverDnSetStream", "device " + device);
    }
    return solver;
  }

  public boolean closed() {
    return closed;
  }

  /** Frees everything, the memory of matrix stacks that are still open too; idempotent. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    cudaSetDevice(device);
    cudaStreamSynchronize(stream);
    if (solver != null) {
      cusolverDnDestroy(solver);
    }
    if (blas != null) {
      cublasDestroy_v2(blas);
    }
    if (staging != null) {
      staging.close();
    }
    List.copyOf(allocations).forEach(this::free);
    if (ownsStream) {
      cudaStreamDestroy(stream);
    }
  }
}
