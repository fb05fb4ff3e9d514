package io.github.kfac4j.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.curvature.Room.Role;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoomTest {
  private static Room room(String key, Role role) {
    return new Room(key, role, 1, 3, 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "counters", "exponents"})
  void aNameThatSavedStatesUseIsRefused(String key) {
    assertThatThrownBy(() -> room(key, Role.RESULT)).hasMessageContaining("'" + key + "'");
  }

  @Test
  void aBatchAloneGivesFactorsOrElseMoments() {
    Room a = room("A", Role.INPUT_FACTOR);
    Room g = room("G", Role.OUTPUT_FACTOR);
    Room moments = room("moments", Role.MOMENTS);
    Room basis = room("A_basis", Role.BASIS);
    assertThat(Room.statistics(List.of(a, basis, moments, g))).containsExactly(a, g);
    assertThat(Room.statistics(List.of(moments, basis))).containsExactly(moments);
    assertThat(a.symmetricDim()).isEqualTo(3);
    assertThat(moments.symmetricDim()).isZero();
    assertThat(new Room("A", Role.INPUT_FACTOR, 1, 1, 3).symmetricDim()).isZero();
  }
}
