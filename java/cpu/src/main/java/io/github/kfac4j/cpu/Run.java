package io.github.kfac4j.cpu;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Plans that some threads work off side by side. Whoever ends the last task of a phase begins the
 * next.
 */
final class Run {
  private final List<? extends Plan> plans;
  private final int phases;
  private final Gate gate = new Gate();
  private final AtomicInteger inside = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /** The phase that is worked on; null when all is over. */
  private volatile Batch batch;

  Run(List<? extends Plan> plans) {
    this.plans = plans;
    int most = 0;
    for (Plan plan : plans) {
      most = Math.max(most, plan.phases());
    }
    this.phases = most;
    this.batch = after(-1);
  }

  /** The number of tasks in the phase that has most. */
  int widest() {
    int widest = 0;
    for (int phase = 0; phase < phases; phase++) {
      int tasks = 0;
      for (Plan plan : plans) {
        tasks += Batch.tasks(plan, phase);
      }
      widest = Math.max(widest, tasks);
    }
    return widest;
  }

  /** The next phase with tasks, or null. */
  private Batch after(int phase) {
    for (int next = phase + 1; next < phases; next++) {
      Batch candidate = new Batch(plans, next);
      if (candidate.total() > 0) {
        return candidate;
      }
    }
    return null;
  }

  /** Takes part until all is over. */
  void work(Arena own) {
    inside.incrementAndGet();
    try {
      for (Batch current = batch; current != null; current = batch) {
        drain(current, own);
        Batch drained = current;
        gate.await(() -> batch != drained);
      }
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
      batch = null;
    } finally {
      inside.decrementAndGet();
      gate.changed();
    }
  }

  private void drain(Batch current, Arena own) {
    while (failure.get() == null) {
      own.reset();
      // nothing may fail between claiming a task and running it: others may wait for its turn
      int task = current.claim();
      if (task >= current.total()) {
        return;
      }
      current.run(task, own);
      if (current.end()) {
        batch = after(current.phase());
        gate.changed();
      }
    }
  }

  /** Waits until no thread is at work: tasks write to the caller's memory. */
  void await() {
    gate.await(() -> batch == null && inside.get() == 0);
    Throwable thrown = failure.get();
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }
}
