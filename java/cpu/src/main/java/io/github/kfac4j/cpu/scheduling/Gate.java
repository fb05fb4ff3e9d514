package io.github.kfac4j.cpu.scheduling;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where threads wait for what another is about to do. They spin for a moment, because to wake a
 * sleeping thread takes longer than many a task, and then sleep.
 *
 * <p>Who waits asks for {@link #changes} first, looks for work then, and waits for a further change
 * if there is none: what happens between the two is not missed.
 */
final class Gate {
  private static final long SPIN_NANOS = 50_000;

  private final AtomicInteger changes = new AtomicInteger();
  private volatile int sleeping;

  /** Counts what threads wait for. */
  int changes() {
    return changes.get();
  }

  /** Returns when there was another change since; an interrupt is kept for later. */
  void await(int seen) {
    long start = System.nanoTime();
    while (changes.get() == seen) {
      if (System.nanoTime() - start > SPIN_NANOS) {
        sleep(seen);
        return;
      }
      Thread.onSpinWait();
    }
  }

  private synchronized void sleep(int seen) {
    boolean interrupted = false;
    sleeping++;
    while (changes.get() == seen) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    sleeping--;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** To be called after each change of the state that threads wait for. */
  void changed() {
    changes.incrementAndGet();
    if (sleeping > 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }
}
