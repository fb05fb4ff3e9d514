package io.github.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixSpecTest {
  private static MatrixSpec spec(String key, Role role) {
    return new MatrixSpec(new StateKey(key), role, 1, 3, 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "counters", "exponents"})
  void aNameThatSavedStatesUseIsRefused(String key) {
    assertThatThrownBy(() -> spec(key, Role.RESULT)).hasMessageContaining("'" + key + "'");
  }

  @Test
  void aBatchAloneGivesFactorsOrElseMoments() {
    MatrixSpec a = spec("A", Role.INPUT_FACTOR);
    MatrixSpec g = spec("G", Role.OUTPUT_FACTOR);
    MatrixSpec moments = spec("moments", Role.MOMENTS);
    MatrixSpec basis = spec("A_basis", Role.BASIS);
    assertThat(MatrixSpec.statistics(List.of(a, basis, moments, g))).containsExactly(a, g);
    assertThat(MatrixSpec.statistics(List.of(moments, basis))).containsExactly(moments);
    assertThat(a.symmetricDim()).isEqualTo(3);
    assertThat(moments.symmetricDim()).isZero();
    assertThat(new MatrixSpec(Factors.A, Role.INPUT_FACTOR, 1, 1, 3).symmetricDim()).isZero();
  }
}
