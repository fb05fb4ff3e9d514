package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Plans that some threads work off side by side, each plan at its own pace. A thread always takes a
 * task of the largest plan that has one to give, so that small plans fill the gaps of large ones.
 */
final class Run {
  /** The largest first. */
  private final Progress[] plans;

  private final Gate gate = new Gate();
  private final AtomicInteger inside = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /** All plans before this one are over. */
  private volatile int first;

  Run(List<? extends Plan> all) {
    plans = new Progress[all.size()];
    for (int i = 0; i < plans.length; i++) {
      plans[i] = new Progress(all.get(i));
    }
    Arrays.sort(plans, Comparator.comparingDouble(p -> -p.plan().work()));
  }

  /** How many threads it can keep busy. */
  int widest() {
    int sum = 0;
    for (Progress plan : plans) {
      sum += plan.widest();
    }
    return sum;
  }

  /** Takes part until all is over. */
  void work(Arena own) {
    inside.incrementAndGet();
    try {
      int seen = gate.changes();
      while (!isOver()) {
        if (!runOne(own)) {
          gate.await(seen);
        }
        seen = gate.changes();
      }
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    } finally {
      inside.decrementAndGet();
      gate.changed();
    }
  }

  private boolean isOver() {
    int at = first;
    while (at < plans.length && plans[at].isOver()) {
      at++;
    }
    if (at > first) {
      first = at;
    }
    return at == plans.length || failure.get() != null;
  }

  /** Runs a task if there is one now. */
  private boolean runOne(Arena own) {
    own.reset();
    for (int i = first; i < plans.length; i++) {
      // nothing may fail between claiming a task and running it: others may wait for its turn
      long task = plans[i].claim();
      if (task >= 0) {
        if (plans[i].run(task, own)) {
          gate.changed();
        }
        return true;
      }
    }
    return false;
  }

  /** Waits until no thread is at work: tasks write to the caller's memory. */
  void await() {
    int seen = gate.changes();
    while (!isOver() || inside.get() > 0) {
      gate.await(seen);
      seen = gate.changes();
    }
    Throwable thrown = failure.get();
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }
}
