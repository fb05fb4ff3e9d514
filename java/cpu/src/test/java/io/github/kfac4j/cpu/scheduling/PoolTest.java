package io.github.kfac4j.cpu.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.cpu.memory.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

/** How plans share the threads. */
class PoolTest {
  /** What a task does. */
  private interface Body {
    void run(int phase, int task);
  }

  private record Tasks(double work, int[] counts, Body body) implements Plan {
    @Override
    public int phases() {
      return counts.length;
    }

    @Override
    public int tasks(int phase) {
      return counts[phase];
    }

    @Override
    public void run(int phase, int task, Arena scratch) {
      body.run(phase, task);
    }
  }

  @Test
  void aPlanDoesNotWaitForThePhasesOfAnother() {
    CountDownLatch secondPhase = new CountDownLatch(1);
    boolean[] seen = new boolean[1];
    Plan large =
        new Tasks(
            2,
            new int[] {1, 1},
            (phase, task) -> {
              if (phase == 1) {
                secondPhase.countDown();
              }
            });
    Plan small = new Tasks(1, new int[] {1}, (phase, task) -> seen[0] = awaited(secondPhase));
    try (Pool pool = new Pool(2, Runnable::run)) {
      pool.run(List.of(small, large));
    }
    assertThat(seen[0]).isTrue();
  }

  private static boolean awaited(CountDownLatch latch) {
    try {
      return latch.await(1, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Test
  void aThreadTakesTheLargestPlanFirst() {
    List<Double> order = new ArrayList<>();
    List<Plan> plans = new ArrayList<>();
    for (double work : new double[] {3, 5, 0, 4}) {
      plans.add(new Tasks(work, new int[] {1, 2}, (phase, task) -> order.add(work)));
    }
    try (Pool pool = new Pool(1, Runnable::run)) {
      pool.run(plans);
    }
    assertThat(order).hasSize(12).isSortedAccordingTo(Collections.reverseOrder());
  }

  /** Phases without tasks too; no plans at all too. */
  @Test
  void everyTaskRunsOnceAndAfterThePhasesBefore() {
    Random random = new Random(5);
    for (int threads = 1; threads <= 4; threads++) {
      try (Pool pool = new Pool(threads, Runnable::run)) {
        for (int round = 0; round < 500; round++) {
          List<Counter> counters = new ArrayList<>();
          for (int i = random.nextInt(9); i > 0; i--) {
            counters.add(new Counter(random.ints(random.nextInt(5), 0, 6).toArray()));
          }
          pool.run(counters.stream().map(c -> new Tasks(c.counts.length, c.counts, c)).toList());
          counters.forEach(Counter::requireOnce);
        }
      }
    }
  }

  /** Counts its tasks. */
  private static final class Counter implements Body {
    private final int[] counts;
    private final AtomicIntegerArray[] runs;

    Counter(int[] counts) {
      this.counts = counts;
      this.runs = new AtomicIntegerArray[counts.length];
      for (int phase = 0; phase < counts.length; phase++) {
        runs[phase] = new AtomicIntegerArray(counts[phase]);
      }
    }

    @Override
    public void run(int phase, int task) {
      for (int before = 0; before < phase; before++) {
        requireOnce(before);
      }
      runs[phase].incrementAndGet(task);
    }

    void requireOnce() {
      for (int phase = 0; phase < counts.length; phase++) {
        requireOnce(phase);
      }
    }

    private void requireOnce(int phase) {
      for (int task = 0; task < counts[phase]; task++) {
        assertThat(runs[phase].get(task)).isOne();
      }
    }
  }

  @Test
  void aFailureEndsTheRunAndNotThePool() {
    try (Pool pool = new Pool(3, Runnable::run)) {
      Plan fails =
          new Tasks(
              1,
              new int[] {5, 1},
              (phase, task) -> {
                throw new IllegalStateException("task " + task);
              });
      assertThatThrownBy(() -> pool.run(List.of(fails, fails)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("task");
      Counter counter = new Counter(new int[] {7, 7});
      pool.run(List.of(new Tasks(1, counter.counts, counter)));
      counter.requireOnce();
    }
  }

  /** No process has room for such stacks. */
  @Test
  void threadsThatCannotBeStartedAreDoneWithout() {
    AtomicIntegerArray runs = new AtomicIntegerArray(50);
    Plan plan = new Tasks(1, new int[] {50}, (phase, task) -> runs.incrementAndGet(task));
    try (Pool pool = new Pool(4, Runnable::run, 1L << 50)) {
      pool.run(List.of(plan));
      pool.run(List.of(plan));
      for (int i = 0; i < 50; i++) {
        assertThat(runs.get(i)).isEqualTo(2);
      }
      Plan deep = Plan.of(1, scratch -> runs.incrementAndGet(0));
      assertThatThrownBy(() -> pool.run(List.of(deep)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("can start no thread for LAPACK");
      assertThat(runs.get(0)).isEqualTo(2);
    }
  }
}
