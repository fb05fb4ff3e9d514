package io.github.kfac4j.cuda;

/** A call of CUDA, cuBLAS, cuSOLVER or the kernels that failed. */
public class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String function;
  private final int code;
  private final boolean fatal;

  public CudaException(String function, int code, String message, boolean fatal) {
    super(message);
    this.function = function;
    this.code = code;
    this.fatal = fatal;
  }

  /** The function that failed, for example {@code cudaMalloc}. */
  public final String function() {
    return function;
  }

  /** The status it returned, in the numbering of its library. */
  public final int code() {
    return code;
  }

  /**
   * Whether the process has lost its CUDA context, for example to an illegal address: no call can
   * succeed any more, and the backend refuses them. Only a new process helps.
   */
  public final boolean fatal() {
    return fatal;
  }
}
