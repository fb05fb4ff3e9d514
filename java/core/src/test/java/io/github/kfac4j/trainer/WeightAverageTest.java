package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WeightAverageTest {
  @Test
  void theAverageFollowsItsRecurrenceAndCanStandInForTheWeights() {
    double[] w = {1, 2, 3};
    WeightAverage average = new WeightAverage(Map.of("w", HostTensor.of(w, 3)), 0.9);
    double[] expected = w.clone();
    for (int step = 0; step < 5; step++) {
      for (int i = 0; i < 3; i++) {
        w[i] = w[i] * 1.5 - i;
        expected[i] = 0.9 * expected[i] + (1 - 0.9) * w[i];
      }
      average.update();
    }
    double[] last = w.clone();
    Map<String, StoredTensor> saved = average.toTensors();
    average.swap();
    assertThat(Fixtures.error(w, expected)).isLessThan(1e-15);
    average.swap();
    assertThat(w).containsExactly(last);
    average.update();
    average.restore(saved);
    assertThat(average.toTensors()).isEqualTo(saved);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WeightAverage(Map.of(), 1))
        .withMessageContaining("in [0, 1) but is 1.0");
    Map<String, HostTensor> one = Map.of("a", HostTensor.of(w, 2), "b", HostTensor.of(w, 3));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WeightAverage(one, 0.9))
        .withMessageContaining("share memory, and both are to be exchanged");
  }
}
