package io.github.kfac4j.benchmarks.run;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * What a piece of work costs in CPU time of the process, which other processes of a busy machine
 * hardly change. The clock ticks every 10 ms, so each sample is of many calls.
 *
 * @param cpuMillis of a call, all threads together, the median of the samples; likewise {@code
 *     wallMillis}
 */
public record CpuTime(double cpuMillis, double wallMillis) {
  private static final int SAMPLES = 5;
  private static final long WARM_UP = 700_000_000L;
  private static final long TRIAL = 150_000_000L;
  private static final double SAMPLE = 100e6;

  /** Measures on the clocks of the process. */
  public static CpuTime of(Work work) {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return of(work, system::getProcessCpuTime, System::nanoTime);
  }

  /** Measures on clocks that count nanoseconds. */
  static CpuTime of(Work work, LongSupplier cpu, LongSupplier wall) {
    long start = cpu.getAsLong();
    for (int i = 0; i < 3 || cpu.getAsLong() - start < WARM_UP; i++) {
      work.run();
    }
    start = cpu.getAsLong();
    int tried = 0;
    while (tried < 2 || cpu.getAsLong() - start < TRIAL) {
      work.run();
      tried++;
    }
    int calls = Math.max(1, (int) Math.ceil(tried * SAMPLE / (cpu.getAsLong() - start)));
    double[] cpuMillis = new double[SAMPLES];
    double[] wallMillis = new double[SAMPLES];
    for (int k = 0; k < SAMPLES; k++) {
      long cpuStart = cpu.getAsLong();
      long wallStart = wall.getAsLong();
      for (int i = 0; i < calls; i++) {
        work.run();
      }
      cpuMillis[k] = (cpu.getAsLong() - cpuStart) / 1e6 / calls;
      wallMillis[k] = (wall.getAsLong() - wallStart) / 1e6 / calls;
    }
    Arrays.sort(cpuMillis);
    Arrays.sort(wallMillis);
    return new CpuTime(cpuMillis[SAMPLES / 2], wallMillis[SAMPLES / 2]);
  }
}
