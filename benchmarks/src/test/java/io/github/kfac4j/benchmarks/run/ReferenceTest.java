package io.github.kfac4j.benchmarks.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The reference notices one wrong element, and a NaN. */
class ReferenceTest {
  private static final long SEED = 3;

  static Stream<Case> cases() {
    return Cases.of("tiny").stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void refusesAWrongElement(Case c) {
    try (Contender java = OwnContenders.open("java", 1);
        Work work = java.prepare(c, SEED)) {
      work.run();
      assertThat(Reference.require("java", c, SEED, work)).isLessThan(1e-5);
      for (float wrong : new float[] {1, Float.NaN}) {
        Work broken = broken(work, wrong);
        assertThatThrownBy(() -> Reference.require("java", c, SEED, broken))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining(c.id());
      }
    }
  }

  private static Work broken(Work work, float wrong) {
    return new Work() {
      @Override
      public void run() {
        work.run();
      }

      @Override
      public float[] result(int index) {
        float[] result = work.result(index).clone();
        result[result.length / 2] += wrong;
        return result;
      }
    };
  }
}
