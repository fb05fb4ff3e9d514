package io.github.kfac4j.benchmarks.jmh;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import io.github.kfac4j.benchmarks.peers.Peers;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Reference;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A contender doing a case; what it gives is compared with the reference once per trial. Beside
 * JMH's time of a whole call stands what the contender's own clock says: of {@code cuda-kernels},
 * the time between two events on the GPU.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public abstract class CaseBenchmark {
  private static final long SEED = 1;

  /** A backend of ours or a peer. */
  @Param({"cpu"})
  public String contender;

  /** How many threads it is given. */
  @Param({"2"})
  public int threads;

  private Contender opened;
  private Work work;

  /** The verb and the name of the case. */
  abstract String caseId();

  /** Makes the inputs, runs once and checks. */
  @Setup(Level.Trial)
  public void prepare() {
    Case c = Cases.byId(caseId());
    opened =
        Peers.names().contains(contender)
            ? Peers.open(contender, threads)
            : OwnContenders.open(contender, threads);
    work = opened.prepare(c, SEED);
    if (work == null) {
      throw new IllegalArgumentException(contender + " has no way to do " + c.id());
    }
    work.run();
    if (Reference.judges(c, work)) {
      Reference.require(contender, c, SEED, work);
    }
  }

  /** What the contender's own clock says, summed over all iterations. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class OwnClock {
    /** How often the case was done. */
    public long calls;

    /** How long it took. */
    public double milliseconds;
  }

  /** What is timed. */
  @Benchmark
  public void run(OwnClock clock) {
    clock.milliseconds += 1e3 * work.seconds(1);
    clock.calls++;
  }

  /** Frees everything. */
  @TearDown(Level.Trial)
  public void close() {
    work.close();
    opened.close();
  }
}
