package io.github.kfac4j.cuda;

import io.github.kfac4j.cuda.context.Readback;

/**
 * A verb that has been enqueued and not been waited for: its results on the device come in stream
 * order, and what it has to tell is read when asked for.
 *
 * <p>One that was enqueued while the stream was being captured tells what the latest launch of the
 * graph found; launch it on the backend's stream, and keep this, the requests' stacks and tensors,
 * and the backend open for as long as the graph is used.
 *
 * @param <T> what it tells
 */
public final class Enqueued<T> implements AutoCloseable {
  private final Readback<T> readback;

  Enqueued(Readback<T> readback) {
    this.readback = readback;
  }

  /**
   * Waits for the work on the stream, and reads.
   *
   * @throws CudaException if CUDA fails, now or in the work
   * @throws IllegalStateException after {@link #close}, and after that of the backend
   */
  public T get() {
    return readback.read();
  }

  /** Gives back the memory of what it tells, for the next verb; idempotent. */
  @Override
  public void close() {
    readback.close();
  }
}
