package io.github.kfac4j.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
    int phases = plans.stream().mapToInt(Plan::phases).max().orElse(0);
    for (int phase = 0; phase < phases; phase++) {
      Batch batch = new Batch(plans, phase);
      if (batch.total > 0) {
        batch.run();
      }
    }
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

  /** All tasks of one phase. Threads claim them in order. */
  private final class Batch {
    private final List<? extends Plan> plans;
    private final int phase;
    private final int[] ends;
    private final int total;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Batch(List<? extends Plan> plans, int phase) {
      this.plans = plans;
      this.phase = phase;
      this.ends = new int[plans.size()];
      int sum = 0;
      for (int i = 0; i < ends.length; i++) {
        sum += phase < plans.get(i).phases() ? plans.get(i).tasks(phase) : 0;
        ends[i] = sum;
      }
      this.total = sum;
    }

    void run() {
      int runners = Math.min(total, scratch.size());
      CountDownLatch done = new CountDownLatch(runners);
      for (int i = 0; i < runners; i++) {
        Arena own = scratch.get(i);
        executor.execute(
            () -> {
              try {
                work(own);
              } finally {
                done.countDown();
              }
            });
      }
      await(done);
      Throwable thrown = failure.get();
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof RuntimeException exception) {
        throw exception;
      }
    }

    private void work(Arena own) {
      int plan = 0;
      for (int i = next.getAndIncrement(); i < total; i = next.getAndIncrement()) {
        while (i >= ends[plan]) {
          plan++;
        }
        try {
          own.reset();
          plans.get(plan).run(phase, plan == 0 ? i : i - ends[plan - 1], own);
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
          next.set(total);
        }
      }
    }

    /** Tasks write to the caller's memory: an interrupt must not leave them behind. */
    private static void await(CountDownLatch done) {
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
