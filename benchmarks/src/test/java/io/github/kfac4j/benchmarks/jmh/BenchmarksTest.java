package io.github.kfac4j.benchmarks.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.benchmarks.cases.Cases;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Param;

/** Each JMH benchmark is set up, checked and run once, and its shapes exist. */
class BenchmarksTest {
  static Stream<Arguments> benchmarks() {
    return Stream.of(
        Arguments.of(shape(new PatchBenchmark(), b -> b.shape = "patches tiny")),
        Arguments.of(shape(new FactorBenchmark(), b -> b.shape = "conv-factor tiny")),
        Arguments.of(shape(new InverseBenchmark(), b -> b.shape = "inverse tiny")),
        Arguments.of(shape(new PreconditionBenchmark(), b -> b.shape = "precondition tiny")),
        Arguments.of(shape(new StepBenchmark(), b -> b.shape = "step tiny")));
  }

  private static <T extends CaseBenchmark> T shape(
      T benchmark, java.util.function.Consumer<T> set) {
    set.accept(benchmark);
    benchmark.contender = "cpu";
    benchmark.threads = 1;
    return benchmark;
  }

  @ParameterizedTest
  @MethodSource("benchmarks")
  void aBenchmark(CaseBenchmark benchmark) {
    CaseBenchmark.OwnClock clock = new CaseBenchmark.OwnClock();
    benchmark.prepare();
    benchmark.run(clock);
    benchmark.close();
    assertThat(clock.calls).isEqualTo(1);
    assertThat(clock.milliseconds).isPositive();
  }

  @Test
  void itsShapesExist() throws NoSuchFieldException {
    for (Class<?> type :
        new Class<?>[] {
          PatchBenchmark.class,
          FactorBenchmark.class,
          InverseBenchmark.class,
          PreconditionBenchmark.class,
          StepBenchmark.class
        }) {
      String[] shapes = type.getField("shape").getAnnotation(Param.class).value();
      assertThat(Arrays.stream(shapes).map(Cases::byId)).isNotEmpty();
    }
  }
}
