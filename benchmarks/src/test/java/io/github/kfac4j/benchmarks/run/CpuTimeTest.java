package io.github.kfac4j.benchmarks.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CpuTimeTest {
  /** Work whose calls take as much of both clocks as it is told. */
  private static final class Clocked implements Work {
    private final long[] nanos;
    private long cpu;
    private int calls;

    Clocked(long... nanos) {
      this.nanos = nanos;
    }

    @Override
    public void run() {
      cpu += nanos[calls++ % nanos.length];
    }

    @Override
    public float[] result(int index) {
      throw new UnsupportedOperationException();
    }
  }

  private static CpuTime measure(Clocked work) {
    return CpuTime.of(work, () -> work.cpu, () -> work.cpu / 4);
  }

  @Test
  void aCallOfKnownCostIsMeasuredAsThat() {
    Clocked quick = new Clocked(2_000_000);
    CpuTime time = measure(quick);
    assertThat(time.cpuMillis()).isCloseTo(2, within(1e-12));
    assertThat(time.wallMillis()).isCloseTo(0.5, within(1e-12));
    assertThat(quick.calls).isEqualTo(350 + 75 + 5 * 50); // warm, tried, samples of 100 ms
  }

  @Test
  void slowCallsAreSamplesByThemselvesAndTheMedianCounts() {
    Clocked slow = new Clocked(900_000_000, 1, 1, 400_000_000, 1_000_000_000);
    CpuTime time = measure(slow);
    assertThat(slow.calls).isEqualTo(3 + 2 + 5);
    assertThat(time.cpuMillis()).isEqualTo(400);
  }
}
