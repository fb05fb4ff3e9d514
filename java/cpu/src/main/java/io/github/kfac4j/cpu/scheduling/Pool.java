package io.github.kfac4j.cpu.scheduling;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Threads that work off plans, the caller's among them unless a task needs a deep stack. A thread
 * that comes late finds less to do, but nobody waits for it.
 */
public final class Pool implements AutoCloseable {
  /** LAPACK needs more than a thread has by default. */
  private static final long STACK_BYTES = 16L << 20;

  private static final System.Logger LOG = System.getLogger(Pool.class.getName());

  private final List<Worker> workers = new ArrayList<>();
  private final Consumer<Runnable> frame;
  private boolean saidSmaller;

  /**
   * A pool whose threads start when there is something to do.
   *
   * @param frame runs what it is given, on the caller's thread: all that is done for one call of
   *     {@link #run} lies inside
   */
  public Pool(int threads, Consumer<Runnable> frame) {
    this(threads, frame, STACK_BYTES);
  }

  Pool(int threads, Consumer<Runnable> frame, long stackBytes) {
    this.frame = frame;
    for (int i = 0; i < threads; i++) {
      workers.add(new Worker("kfac-cpu-" + i, stackBytes));
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
    int started = callerWorks ? 1 : 0;
    try {
      while (started < threads) {
        workers.get(started).start(run);
        started++;
      }
    } catch (OutOfMemoryError e) { // no room for its stack, or no more threads for this process
      if (started == 0) {
        throw new IllegalStateException(
            "the cpu backend can start no thread for LAPACK: "
                + e.getMessage()
                + "; let the process have more threads or address space",
            e);
      }
      saySmaller(started, e);
    }
    if (callerWorks) {
      run.work(workers.get(0).scratch());
    }
    run.await();
  }

  /** Fewer threads do the same work, to the bit. */
  private void saySmaller(int started, OutOfMemoryError reason) {
    if (!saidSmaller) {
      saidSmaller = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "the cpu backend works with %d of its %d threads, as the next cannot be started: %s; give it fewer, or let the process have more"
              .formatted(started, workers.size(), reason.getMessage()));
    }
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
