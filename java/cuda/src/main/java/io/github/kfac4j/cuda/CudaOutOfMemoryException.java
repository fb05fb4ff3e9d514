package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.MemoryShortage;

/**
 * The device has not enough memory. Nothing was changed; the backend can be used further, for
 * example with smaller batches.
 */
public final class CudaOutOfMemoryException extends CudaException implements MemoryShortage {
  private static final long serialVersionUID = 1L;

  public CudaOutOfMemoryException(String function, int code, String message) {
    super(function, code, message, false);
  }
}
