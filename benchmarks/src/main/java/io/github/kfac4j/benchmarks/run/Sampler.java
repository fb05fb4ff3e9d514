package io.github.kfac4j.benchmarks.run;

/** Measures seconds per call: enough calls for the clock, after calls that warm up. */
public final class Sampler {
  private static final double WARM_UP_SECONDS = 0.3;
  private static final double SAMPLE_SECONDS = 0.05;

  private final Work work;
  private final int calls;

  /** Warms the work up and chooses the number of calls of one sample. */
  public Sampler(Work work) {
    this.work = work;
    double total = 0;
    int done = 0;
    double last;
    do {
      int more = Math.max(1, done);
      last = work.seconds(more) / more;
      total += last * more;
      done += more;
    } while (total < WARM_UP_SECONDS);
    this.calls = (int) Math.max(1, Math.ceil(SAMPLE_SECONDS / last));
  }

  /**
   * One sample: seconds per call of the whole case.
   *
   * @param settleMillis threads of the library measured before may still be waiting busily
   */
  public double sample(long settleMillis) {
    try {
      Thread.sleep(settleMillis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (calls > 1) {
      work.seconds(1);
    }
    return work.seconds(calls) / calls / work.share();
  }
}
