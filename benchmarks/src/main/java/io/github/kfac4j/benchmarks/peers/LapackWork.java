package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.run.Work;

/** Work of a BLAS that is given threads while it runs; the CPU backend, sharing it, wants one. */
abstract class LapackWork implements Work {
  private final Lapack lapack;
  private final int threads;

  /** A library and the threads it is to use. */
  LapackWork(Lapack lapack, int threads) {
    this.lapack = lapack;
    this.threads = threads;
  }

  final Lapack lapack() {
    return lapack;
  }

  abstract void once();

  @Override
  public final void run() {
    seconds(1);
  }

  @Override
  public final double seconds(int calls) {
    lapack.setThreads(threads);
    try {
      long start = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        once();
      }
      return (System.nanoTime() - start) * 1e-9;
    } finally {
      lapack.setThreads(1);
    }
  }
}
