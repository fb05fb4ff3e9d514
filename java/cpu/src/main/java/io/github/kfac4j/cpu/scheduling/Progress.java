package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** How far a plan has come. Whoever ends the last task of a phase begins the next. */
final class Progress {
  private final Plan plan;

  /** The tasks of each phase; what the plan is asked for when it may have been closed. */
  private final int[] tasks;

  /** The phase in the upper half, its tasks that were claimed in the lower. */
  private final AtomicLong claimed = new AtomicLong();

  /** Tasks of the phase that have not ended. */
  private final AtomicInteger open = new AtomicInteger();

  Progress(Plan plan) {
    this.plan = plan;
    this.tasks = new int[plan.phases()];
    for (int phase = 0; phase < tasks.length; phase++) {
      tasks[phase] = plan.tasks(phase);
    }
    begin(0);
  }

  Plan plan() {
    return plan;
  }

  /** The number of tasks in the phase that has most. */
  int widest() {
    int widest = 0;
    for (int count : tasks) {
      widest = Math.max(widest, count);
    }
    return widest;
  }

  /** Whether all phases have ended. */
  boolean isOver() {
    return phase(claimed.get()) >= tasks.length;
  }

  /** A task that nobody else has, for {@link #run}, or -1 if there is none now; in order. */
  long claim() {
    while (true) {
      long next = claimed.get();
      int phase = phase(next);
      if (phase >= tasks.length || (int) next >= tasks[phase]) {
        return -1;
      }
      if (claimed.compareAndSet(next, next + 1)) {
        return next;
      }
    }
  }

  /** Runs a claimed task; whether it was the last of its phase, so that there is a change. */
  boolean run(long task, Arena scratch) {
    plan.run(phase(task), (int) task, scratch);
    if (open.decrementAndGet() > 0) {
      return false;
    }
    begin(phase(task) + 1);
    return true;
  }

  /** Begins the first phase from here on that has tasks. */
  private void begin(int from) {
    int phase = from;
    while (phase < tasks.length && tasks[phase] == 0) {
      phase++;
    }
    if (phase < tasks.length) {
      open.set(tasks[phase]);
    }
    claimed.set((long) phase << 32);
  }

  private static int phase(long task) {
    return (int) (task >> 32);
  }
}
