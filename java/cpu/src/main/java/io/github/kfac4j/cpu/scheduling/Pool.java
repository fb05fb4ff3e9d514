package io.github.kfac4j.cpu.scheduling;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Threads that work off plans, the caller's among them unless a task needs a deep stack. A thread
 * that comes late finds less to do, but nobody waits for it.
 */
public final class Pool implements AutoCloseable {
  private final List<Worker> workers = new ArrayList<>();
  private final Consumer<Runnable> frame;

  /**
   * A pool whose threads start when there is something to do.
   *
   * @param frame runs what it is given, on the caller's thread: all that is done for one call of
   *     {@link #run} lies inside
   */
  public Pool(int threads, Consumer<Runnable> frame) {
    this.frame = frame;
    for (int i = 0; i < threads; i++) {
      workers.add(new Worker("kfac-cpu-" + i));
    }
  }

  public int threads() {
    return workers.size();
  }

  /** Runs plans side by side, the largest first; returns when all are over. */
  public void run(List<? extends Plan> plans) {
    Run run = new Run(plans);
    int threads = Math.min(run.widest(), workers.size());
    if (threads == 0) {
      return;
    }
    long floats = 0;
    boolean deep = false;
    for (Plan plan : plans) {
      floats = Math.max(floats, plan.scratchFloats());
      deep |= plan.deepStack();
    }
    // what a task took from one thread's memory it may take from another's in the next step
    for (Worker worker : workers) {
      floats = Math.max(floats, worker.scratch().sizeInBytes() / Float.BYTES);
    }
    for (int i = 0; i < threads; i++) {
      workers.get(i).scratch().reserve(floats);
    }
    boolean callerWorks = !deep;
    frame.accept(() -> run(run, threads, callerWorks));
  }

  private void run(Run run, int threads, boolean callerWorks) {
    for (int i = callerWorks ? 1 : 0; i < threads; i++) {
      workers.get(i).start(run);
    }
    if (callerWorks) {
      run.work(workers.get(0).scratch());
    }
    run.await();
  }

  /** The scratch memory of all threads. */
  public long scratchBytes() {
    return workers.stream().mapToLong(w -> w.scratch().sizeInBytes()).sum();
  }

  @Override
  public void close() {
    workers.forEach(Worker::close);
  }
}
