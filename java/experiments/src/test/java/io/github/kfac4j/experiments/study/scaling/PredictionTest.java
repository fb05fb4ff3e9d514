package io.github.kfac4j.experiments.study.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.experiments.AssignmentRule;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The model behind the predictions, against formulas and published numbers. */
class PredictionTest {
  private static LayerSize layer(String name) {
    return ResNet50.layers().stream().filter(l -> l.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void resNet50HasItsLayersWeightsAndOperations() {
    List<LayerSize> layers = ResNet50.layers();
    assertThat(layers).hasSize(107);
    assertThat(layers.stream().mapToLong(LayerSize::weights).sum()).isEqualTo(25_557_032);
    double convolutions =
        layers.stream().filter(l -> l.inputDim() > 1).mapToDouble(LayerSize::forwardFlops).sum();
    assertThat(convolutions / 2).isCloseTo(4.09e9, withPercentage(1));
    assertThat(layer("layer4.2.conv2").inputDim()).isEqualTo(4608);
    assertThat(layer("conv1").packed()).isEqualTo(147 * 148 / 2 + 64 * 65 / 2);
    assertThat(layer("conv1.bn").packed()).isEqualTo(128 * 129 / 2);
  }

  @Test
  void inversesFollowAPowerLawThroughTheMeasuredPoints() {
    Cluster cluster = new Cluster("x", 1, 1, Map.of(100, 1.0, 200, 8.0, 400, 64.0), 0, 1);
    assertThat(cluster.inverseSeconds(200)).isEqualTo(8);
    assertThat(cluster.inverseSeconds(150)).isCloseTo(3.375, within(1e-9));
    assertThat(cluster.inverseSeconds(800)).isCloseTo(512, within(1e-9));
    assertThat(cluster.inverseSeconds(10)).isEqualTo(1);
  }

  @Test
  void theNetworkTermIsThatOfRings() {
    Cluster cluster = new Cluster("x", 1, 1e12, Map.of(100, 1e-3, 200, 8e-3), 1e-6, 1e9);
    List<LayerSize> one = List.of(new LayerSize("fc", 100, 200, 1, 20_000));
    Prediction p = Prediction.of(one, cluster, AssignmentRule.BALANCED, 4);
    double bytes = 4 * (100 * 101 / 2 + 200 * 201 / 2 + 2 * 20_000);
    assertThat(p.network()).isCloseTo(3 * 3e-6 + bytes * 0.75 / 1e9, within(1e-12));
    assertThat(p.inversion()).isCloseTo(9e-3 + 2.0 * 20_000 * 300 / 1e12, within(1e-12));
    assertThat(p.compute())
        .isCloseTo((3 * 2.0 * 100 * 200 + 100 * 100 + 200 * 200) / 1e12, within(1e-15));
  }
}
