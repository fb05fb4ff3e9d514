package io.github.kfac4j.cuda.context;

import java.util.function.Supplier;

/**
 * What a verb that was only enqueued has to tell: in result memory until it is read.
 *
 * @param <T> what it tells
 */
public final class Readback<T> implements AutoCloseable {
  private final ResultMemory pool;
  private final long memory;
  private final long bytes;
  private final Supplier<T> read;
  private boolean closed;

  /**
   * Keeps a piece of result memory.
   *
   * @param memory a piece of {@code pool}, of so many bytes
   * @param read reads it, after all work enqueued before
   */
  public Readback(ResultMemory pool, long memory, long bytes, Supplier<T> read) {
    this.pool = pool;
    this.memory = memory;
    this.bytes = bytes;
    this.read = read;
  }

  /**
   * Waits for the work on the stream, and reads.
   *
   * @throws IllegalStateException after {@link #close}, and after that of the backend
   */
  public T read() {
    CudaContext context = pool.context();
    return context.call(
        () -> {
          context.enter();
          if (closed) {
            throw new IllegalStateException("what was enqueued is closed");
          }
          return read.get();
        });
  }

  /** Gives the memory back, for the next verb; idempotent. */
  @Override
  public void close() {
    pool.context()
        .run(
            () -> {
              if (!closed) {
                closed = true;
                pool.release(memory, bytes);
              }
            });
  }
}
