package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;
import java.util.concurrent.atomic.AtomicReference;

/** A thread of the pool, started when it first has something to do, and its scratch memory. */
final class Worker implements Runnable, AutoCloseable {
  private final Thread thread;
  private final Arena scratch = new Arena();
  private final Gate gate = new Gate();
  private final AtomicReference<Run> next = new AtomicReference<>();
  private volatile boolean closed;

  Worker(String name, long stackBytes) {
    thread = new Thread(null, this, name, stackBytes);
    thread.setDaemon(true);
  }

  /** The memory of this thread's tasks, or of whoever takes its place. */
  Arena scratch() {
    return scratch;
  }

  /** Lets the thread take part in a run. */
  void start(Run run) {
    next.set(run);
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    }
    gate.changed();
  }

  @Override
  public void run() {
    int seen = gate.changes();
    while (!closed) {
      Run run = next.getAndSet(null);
      if (run == null) {
        gate.await(seen);
      } else {
        run.work(scratch);
      }
      seen = gate.changes();
    }
  }

  /** Ends the thread; it must not be at work. */
  @Override
  public void close() {
    closed = true;
    gate.changed();
    scratch.close();
  }
}
