package io.github.kfac4j.distributed;

/** What went wrong on this rank first, until it is told to all. */
final class FirstFailure {
  private RuntimeException failure;

  /** Runs something and keeps what it throws. */
  void keep(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      failure = failure == null ? e : failure;
    }
  }

  boolean none() {
    return failure == null;
  }

  /** What was kept, or null; it is forgotten. */
  RuntimeException take() {
    RuntimeException taken = failure;
    failure = null;
    return taken;
  }
}
