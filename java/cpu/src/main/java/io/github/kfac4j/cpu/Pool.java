package io.github.kfac4j.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Threads that work off plans. LAPACK needs more stack than a thread has by default. */
final class Pool implements AutoCloseable {
  private static final long STACK_BYTES = 16L << 20;

  private final ExecutorService executor;
  private final List<Arena> scratch = new ArrayList<>();

  Pool(int threads) {
    AtomicInteger count = new AtomicInteger();
    executor =
        Executors.newFixedThreadPool(
            threads,
            work -> {
              String name = "kfac-cpu-" + count.getAndIncrement();
              Thread thread = new Thread(null, work, name, STACK_BYTES);
              thread.setDaemon(true);
              return thread;
            });
    for (int i = 0; i < threads; i++) {
      scratch.add(new Arena());
    }
  }

  /** Runs plans side by side, phase by phase; within a phase tasks start in the plans' order. */
  void run(List<? extends Plan> plans) {
    int widest = 0;
    int phases = plans.stream().mapToInt(Plan::phases).max().orElse(0);
    for (int phase = 0; phase < phases; phase++) {
      int p = phase;
      widest = Math.max(widest, plans.stream().mapToInt(plan -> tasks(plan, p)).sum());
    }
    if (widest > 0) {
      Run run = new Run(plans, phases, Math.min(widest, scratch.size()));
      run.start();
      run.await();
    }
  }

  private static int tasks(Plan plan, int phase) {
    return phase < plan.phases() ? plan.tasks(phase) : 0;
  }

  /** The scratch memory of all threads. */
  long scratchBytes() {
    return scratch.stream().mapToLong(Arena::sizeInBytes).sum();
  }

  @Override
  public void close() {
    executor.shutdown();
    scratch.forEach(Arena::close);
  }

  /** Threads that work off the same plans and meet after each phase. */
  private final class Run extends Phaser {
    private final List<? extends Plan> plans;
    private final int phases;
    private final CountDownLatch done;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    /** Written by the last thread that ends a phase, while the others wait. */
    private Batch batch;

    Run(List<? extends Plan> plans, int phases, int threads) {
      super(threads);
      this.plans = plans;
      this.phases = phases;
      this.batch = new Batch(plans, 0);
      this.done = new CountDownLatch(threads);
    }

    void start() {
      long floats = plans.stream().mapToLong(Plan::scratchFloats).max().orElse(0);
      List<Arena> arenas = scratch.subList(0, (int) done.getCount());
      arenas.forEach(own -> own.reserve(floats));
      arenas.forEach(own -> executor.execute(() -> work(own)));
    }

    private void work(Arena own) {
      try {
        while (!isTerminated()) {
          drain(own);
          arriveAndAwaitAdvance();
        }
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
        forceTermination();
      } finally {
        done.countDown();
      }
    }

    private void drain(Arena own) {
      while (failure.get() == null) {
        own.reset();
        // nothing may fail between claiming a task and running it: others may wait for its turn
        int task = batch.claim();
        if (task >= batch.total) {
          return;
        }
        batch.run(task, own);
      }
    }

    @Override
    protected boolean onAdvance(int arrivals, int parties) {
      do {
        if (batch.phase + 1 == phases) {
          return true;
        }
        batch = new Batch(plans, batch.phase + 1);
      } while (batch.total == 0);
      return false;
    }

    /** Tasks write to the caller's memory: an interrupt must not leave them behind. */
    void await() {
      boolean interrupted = false;
      while (done.getCount() > 0) {
        try {
          done.await();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
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

  /** All tasks of one phase, claimed in order. */
  private static final class Batch {
    private final List<? extends Plan> plans;
    private final int phase;
    private final int[] ends;
    private final int total;
    private final AtomicInteger next = new AtomicInteger();

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

    int claim() {
      return next.getAndIncrement();
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
}
