package io.github.kfac4j.benchmarks;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.own.KfacContender;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Oracle;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Everything that is measured is right, on tiny shapes. */
class TinyCasesTest {
  private static final long SEED = 7;

  static Stream<Case> tinyCases() {
    return Cases.of("tiny").stream();
  }

  @ParameterizedTest
  @MethodSource("tinyCases")
  void theCpuBackend(Case c) {
    try (Contender cpu = KfacContender.open("cpu", 1)) {
      check(cpu, c);
    }
  }

  @ParameterizedTest
  @MethodSource("tinyCases")
  void theJavaBackend(Case c) {
    try (Contender java = KfacContender.open("java", 1)) {
      check(java, c);
    }
  }

  private static void check(Contender contender, Case c) {
    try (Work work = contender.prepare(c, SEED)) {
      work.run();
      Oracle.require(contender.name(), c, SEED, work);
      work.run(); // twice is as good as once
      Oracle.require(contender.name(), c, SEED, work);
    }
  }
}
