package io.github.kfac4j.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** All tasks of one phase of some plans, claimed in order. */
final class Batch {
  private final List<? extends Plan> plans;
  private final int phase;
  private final int[] ends;
  private final int total;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();

  Batch(List<? extends Plan> plans, int phase) {
    this.plans = plans;
    this.phase = phase;
    this.ends = new int[plans.size()];
    int sum = 0;
    for (int i = 0; i < ends.length; i++) {
      sum += tasks(plans.get(i), phase);
      ends[i] = sum;
    }
    this.total = sum;
  }

  /** The tasks of one plan in a phase that it may not have. */
  static int tasks(Plan plan, int phase) {
    return phase < plan.phases() ? plan.tasks(phase) : 0;
  }

  int phase() {
    return phase;
  }

  int total() {
    return total;
  }

  /** A task nobody else has; from {@link #total} on there is none. */
  int claim() {
    return next.getAndIncrement();
  }

  /** Counts a task that is over; whether it was the last one. */
  boolean end() {
    return ended.incrementAndGet() == total;
  }

  void run(int task, Arena scratch) {
    int i = Arrays.binarySearch(ends, task + 1);
    int plan = i < 0 ? -i - 1 : i;
    while (plan > 0 && ends[plan - 1] == ends[plan]) {
      plan--;
    }
    plans.get(plan).run(phase, plan == 0 ? task : task - ends[plan - 1], scratch);
  }
}
