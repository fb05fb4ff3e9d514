package io.github.kfac4j.backend;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Keeps what is used by one thread at a time from being used by two: the second is refused at once.
 * The check takes nanoseconds. Different threads may take turns, and a call may make others on its
 * thread.
 */
public final class OneThread {
  private final String what;
  private final AtomicReference<Thread> user = new AtomicReference<>();

  /** Guards something with a name for messages, for example {@code the cpu backend}. */
  public OneThread(String what) {
    this.what = what;
  }

  /**
   * Runs a call unless one is under way on another thread.
   *
   * @throws IllegalStateException naming both threads if one is; nothing has changed then
   */
  public <T> T call(Supplier<T> call) {
    Thread me = Thread.currentThread();
    Thread other = user.get();
    if (other == me) {
      return call.get();
    }
    if (other != null || !user.compareAndSet(null, me)) {
      throw new IllegalStateException(
          "%s is used by one thread at a time, but was called on thread '%s' while a call %s is under way: let them take turns, or give each its own"
              .formatted(what, me.getName(), other == null ? "" : "on '" + other.getName() + "'"));
    }
    try {
      return call.get();
    } finally {
      user.set(null);
    }
  }

  /** The same for a call without a result. */
  public void run(Runnable call) {
    call(
        () -> {
          call.run();
          return null;
        });
  }
}
