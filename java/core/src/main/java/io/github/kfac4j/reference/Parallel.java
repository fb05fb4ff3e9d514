package io.github.kfac4j.reference;

import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Work shared among the threads of the pool that the caller is in, the common one if it is in none.
 * How it is split depends on the work alone, and parts never add to the same element: the bits do
 * not depend on the number of threads.
 */
final class Parallel {
  private static final int CHUNK = TileProduct.ROWS;

  /** Operations, about 50 microseconds of them, from which on waking a thread pays. */
  private static final double WORTH = 1e5;

  private Parallel() {}

  /** Work on the half-open range {@code [from, to)}. */
  interface RangeTask {
    void run(int from, int to);
  }

  /**
   * Runs the task on chunks of {@code [0, n)}, in parallel if all of it is worth it. Long and short
   * rows of a triangle come in turn, so that neighbouring chunks are as much work everywhere.
   */
  static void chunks(int n, double operationsOfOne, RangeTask task) {
    int chunks = (n + CHUNK - 1) / CHUNK;
    each(
        chunks,
        CHUNK * operationsOfOne,
        i -> {
          int k = i % 2 == 0 ? i / 2 : chunks - 1 - i / 2;
          task.run(k * CHUNK, Math.min(n, (k + 1) * CHUNK));
        });
  }

  /** Runs the task for 0 to count - 1, in parallel if all of it is worth it. */
  static void each(int count, double operationsOfOne, IntConsumer task) {
    IntStream range = IntStream.range(0, count);
    (count > 1 && count * operationsOfOne > WORTH ? range.parallel() : range).forEach(task);
  }
}
