package io.github.kfac4j.distributed.asynchronous;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

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
  CompletableFuture<Void> submitAlone(Runnable work) {
    return CompletableFuture.runAsync(work, thread);
  }

  /** Work with a result. */
  <T> CompletableFuture<T> call(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, thread);
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
    CompletableFuture<Void> done =
        submitAlone(
            () -> {
              failure.set(null);
              last.run();
            });
    await(done);
  }

  /**
   * The result, or the exception that the work threw. An interrupt ends no wait and stays for the
   * caller to find.
   */
  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException thrown) {
        throw thrown;
      }
      throw new IllegalStateException(e.getCause());
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
