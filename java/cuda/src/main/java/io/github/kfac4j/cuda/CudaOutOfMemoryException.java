package io.github.kfac4j.cuda;

/**
 * The device has not enough memory. Nothing was changed; the backend can be used further, for
 * example with smaller batches.
 */
public final class CudaOutOfMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  CudaOutOfMemoryException(String function, int code, String message) {
    super(function, code, message, false);
  }
}
