package io.github.kfac4j.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.EveryOption;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.SGD;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every setting of K-FAC in a network of JavaCPP PyTorch. */
class EveryOptionTest {
  private static final int STEPS = 6;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Map<String, KfacOptions> options() {
    return EveryOption.all("hidden", STEPS);
  }

  @Test
  void everySettingIsTried() {
    assertThat(EveryOption.untried(options())).isEmpty();
  }

  static Stream<Arguments> all() {
    return options().entrySet().stream().map(e -> Arguments.of(e.getKey(), e.getValue()));
  }

  /** In the burn-in nothing moves, after it every step moves all parameters. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void trains(String name, KfacOptions options) {
    Nets.Cnn net = new Nets.Cnn(1);
    SGD sgd = Nets.sgd(net, 0.02);
    try (TorchKfac kfac = TorchKfac.attach(net, options, Fisher.EMPIRICAL, backend)) {
      for (int step = 1; step <= STEPS; step++) {
        float[][] before = Nets.weights(net);
        assertThat(Nets.step(net, kfac, sgd, step)).isFinite();
        float[][] after = Nets.weights(net);
        for (int i = 0; i < after.length; i++) {
          if (step <= options.intervals().burnIn()) {
            assertThat(after[i]).as("step %d, parameter %d", step, i).isEqualTo(before[i]);
          } else {
            assertThat(after[i]).as("step %d, parameter %d", step, i).isNotEqualTo(before[i]);
          }
          for (float w : after[i]) {
            assertThat(w).isFinite();
          }
        }
      }
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(STEPS);
      assertThat(kfac.kfac().options().estimator()).isEqualTo(Fisher.Estimator.EMPIRICAL);
    }
  }
}
