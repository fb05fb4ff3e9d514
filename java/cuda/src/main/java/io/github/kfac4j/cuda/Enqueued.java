package io.github.kfac4j.cuda;

import java.util.function.Supplier;

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
  private final ResultMemory pool;
  private final long memory;
  private final long bytes;
  private final Supplier<T> read;
  private boolean closed;

  /** {@code memory} is a piece of {@code pool}, of so many bytes. */
  Enqueued(ResultMemory pool, long memory, long bytes, Supplier<T> read) {
    this.pool = pool;
    this.memory = memory;
    this.bytes = bytes;
    this.read = read;
  }

  /**
   * Waits for the work on the stream, and reads.
   *
   * @throws CudaException if CUDA fails, now or in the work
   * @throws IllegalStateException after {@link #close}, and after that of the backend
   */
  public T get() {
    CudaContext context = pool.context();
    return context.guard.call(
        () -> {
          context.enter();
          if (closed) {
            throw new IllegalStateException("what was enqueued is closed");
          }
          return read.get();
        });
  }

  /** Gives back the memory of what it tells, for the next verb; idempotent. */
  @Override
  public void close() {
    pool.context()
        .guard
        .run(
            () -> {
              if (!closed) {
                closed = true;
                pool.release(memory, bytes);
              }
            });
  }
}
