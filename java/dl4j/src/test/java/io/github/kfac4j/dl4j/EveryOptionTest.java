package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.EveryOption;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every setting of K-FAC in a network of Deeplearning4j. */
class EveryOptionTest {
  private static final int STEPS = 6;

  private static Map<String, KfacOptions> options() {
    return EveryOption.all("layer2", STEPS);
  }

  @Test
  void everySettingIsTried() {
    assertThat(EveryOption.untried(options())).isEmpty();
  }

  static Stream<Arguments> all() {
    return options().entrySet().stream().map(e -> Arguments.of(e.getKey(), e.getValue()));
  }

  /** In the burn-in no weight moves, after it every step moves them. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void trains(String name, KfacOptions options) {
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, options)) {
      assertThat(kfac.layers()).contains("layer2");
      net.addListeners(kfac);
      for (int step = 1; step <= STEPS; step++) {
        Map<String, double[]> before = weights(net);
        net.fit(Nets.images(step));
        Map<String, double[]> moved = weights(net);
        for (String parameter : before.keySet()) {
          double[] after = moved.get(parameter);
          assertThat(after).as(parameter).doesNotContain(Double.NaN);
          if (step <= options.intervals().burnIn()) {
            assertThat(after).as("step %d, %s", step, parameter).isEqualTo(before.get(parameter));
          } else {
            assertThat(after)
                .as("step %d, %s", step, parameter)
                .isNotEqualTo(before.get(parameter));
          }
        }
      }
      assertThat(kfac.kfac().step()).isEqualTo(STEPS);
      assertThat(kfac.kfac().options().estimator()).isEqualTo(Fisher.Estimator.EMPIRICAL);
    }
  }

  /** Without the running statistics of the normalisation, which every pass moves. */
  private static Map<String, double[]> weights(MultiLayerNetwork net) {
    return net.paramTable().entrySet().stream()
        .filter(e -> e.getKey().endsWith("_W") || e.getKey().endsWith("_b"))
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().dup().data().asDouble()));
  }
}
