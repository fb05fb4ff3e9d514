package io.github.kfac4j.experiments.study.scaling;

import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.ThreadCollectives;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * How fast ranks communicate, modelled as a ring: a reduce-scatter of b bytes takes {@code (P - 1)
 * latency + b (P - 1) / P / bandwidth}.
 *
 * @param engine of the collectives
 * @param ranks that took part
 */
record Link(String engine, int ranks, double latencySeconds, double bytesPerSecond) {
  private static final int MESSAGES = 50;
  private static final int LARGE_BYTES = 16 << 20;

  /** Measures between all ranks; called by each of at least two. */
  static Link of(Collectives collectives) {
    int hops = collectives.size() - 1;
    double small = SpeedMeasurement.median(() -> reduceScatter(collectives, Float.BYTES, MESSAGES));
    double large = SpeedMeasurement.median(() -> reduceScatter(collectives, LARGE_BYTES, 1));
    double bytes = (double) LARGE_BYTES * hops / collectives.size();
    return new Link(
        collectives.name(),
        collectives.size(),
        small / hops,
        bytes / Math.max(large - small, 1e-9));
  }

  /** Measures between two threads. */
  static Link betweenThreads() {
    List<Collectives> job = ThreadCollectives.job(2);
    Thread other = new Thread(() -> of(job.get(1)), "kfac-other-rank");
    other.setDaemon(true);
    other.start();
    try {
      return of(job.get(0));
    } finally {
      job.forEach(Collectives::close);
    }
  }

  /** Seconds that each of several equal operations takes, on a number of bytes a rank. */
  private static double reduceScatter(Collectives collectives, int bytes, int count) {
    int ranks = collectives.size();
    int part = bytes / ranks / Float.BYTES * Float.BYTES;
    int[] counts = new int[ranks];
    Arrays.fill(counts, Math.max(part, Float.BYTES));
    ByteBuffer send = buffer(ranks * counts[0]);
    ByteBuffer receive = buffer(counts[0]);
    collectives.barrier().await();
    double seconds =
        SpeedMeasurement.seconds(
            () -> {
              for (int i = 0; i < count; i++) {
                collectives.reduceScatter(send, counts, receive).await();
              }
            });
    return seconds / count;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
