package io.github.kfac4j.backend;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.reference.JavaBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Renewals that no backend could make are refused before one sees them. */
class RenewRequestTest {
  @ParameterizedTest
  @CsvSource({"0, 0, 8", "5, 0, 8", "9, 0, 8", "3, 2, 8", "8, 2, 8", "3, 0, 7"})
  void whatDoesNotFitIsRefused(int leading, int reflections, int source) {
    try (Backend java = new JavaBackend();
        MatrixStack vectors = java.allocate(1, 8, 8);
        MatrixStack matrix = java.allocate(1, source, source)) {
      Basis basis = new Basis(vectors, reflections);
      assertThatThrownBy(() -> new RenewRequest(matrix, basis, leading, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("%d vectors of a basis of 8", leading);
    }
  }

  @Test
  void aBasisHasNoReflectionsOrAtMostHalf() {
    try (Backend java = new JavaBackend();
        MatrixStack vectors = java.allocate(1, 8, 8)) {
      for (int reflections : new int[] {-1, 5}) {
        assertThatThrownBy(() -> new Basis(vectors, reflections))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("a basis of %d reflections", reflections);
      }
    }
  }
}
