package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Shapes of factors, by what they are to their layer. */
class FactorShapeTest {
  @Test
  void isSquareUnlessTheFactorIsDiagonal() {
    try (Kfac kfac =
        new Kfac(
            new JavaBackend(),
            Map.of("dense", new Dense(4, 3, true), "rows", new Embedding(1, 2)),
            KfacOptions.DEFAULT)) {
      KfacState state = kfac.state();
      assertThat(state.factorShape("dense", "A")).containsExactly(5, 5);
      assertThat(state.factorShape("dense", "G")).containsExactly(3, 3);
      assertThat(state.factorShape("rows", "A")).containsExactly(1);
      assertThat(state.factorShape("rows", "G")).containsExactly(2, 2);
      assertThatThrownBy(() -> state.factorShape("dense", "B"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("layer 'dense': there is no factor B");
    }
  }
}
