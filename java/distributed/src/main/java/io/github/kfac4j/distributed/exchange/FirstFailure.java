package io.github.kfac4j.distributed.exchange;

/** What went wrong on this rank first, until it is told to all. */
public final class FirstFailure {
  private RuntimeException failure;

  /** Runs something and keeps what it throws. */
  public void keep(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      failure = failure == null ? e : failure;
    }
  }

  public boolean none() {
    return failure == null;
  }

  /** What was kept, or null; it is forgotten. */
  public RuntimeException take() {
    RuntimeException taken = failure;
    failure = null;
    return taken;
  }
}
