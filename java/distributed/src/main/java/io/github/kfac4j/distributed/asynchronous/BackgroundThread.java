package io.github.kfac4j.distributed.asynchronous;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** One thread that works through what it is given; the first failure is kept. */
final class BackgroundThread implements AutoCloseable {
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread made = new Thread(task, "kfac-worker");
            made.setDaemon(true);
            return made;
          });

  /** Work whose failure nobody waits for: it is kept. */
  void submit(Runnable work) {
    thread.execute(
        () -> {
          try {
            work.run();
          } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
          }
        });
  }

  /** Work that is waited for. */
  Future<?> submitAlone(Runnable work) {
    return thread.submit(work);
  }

  /** Work with a result. */
  <T> Future<T> call(Callable<T> work) {
    return thread.submit(work);
  }

  /** Throws the failure that was kept, once. */
  void throwFailure() {
    Throwable kept = failure.getAndSet(null);
    if (kept instanceof Error error) {
      throw error;
    }
    if (kept instanceof RuntimeException exception) {
      throw exception;
    }
  }

  /** Finishes what was submitted, and some last work, and forgets what went wrong before it. */
  void finish(Runnable last) {
    Future<?> done =
        submitAlone(
            () -> {
              failure.set(null);
              last.run();
            });
    await(done);
  }

  /** The result, or the exception that the work threw. */
  static <T> T await(Future<T> future) {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException thrown) {
        throw thrown;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the worker was waited for", e);
    }
  }

  /** Finishes what was submitted. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(1, TimeUnit.HOURS)) {
        throw new IllegalStateException("the worker does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
