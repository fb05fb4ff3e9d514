package io.github.kfac4j.cpu;

import java.util.function.BooleanSupplier;

/**
 * Where threads wait for what another is about to do. They spin for a moment, because to wake a
 * sleeping thread takes longer than many a task, and then sleep.
 */
final class Gate {
  private static final long SPIN_NANOS = 50_000;

  private volatile int sleeping;

  /** Returns when a condition on volatile state holds; an interrupt is kept for later. */
  void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > SPIN_NANOS) {
        sleep(condition);
        return;
      }
      Thread.onSpinWait();
    }
  }

  private synchronized void sleep(BooleanSupplier condition) {
    boolean interrupted = false;
    sleeping++;
    while (!condition.getAsBoolean()) {
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
    if (sleeping > 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }
}
