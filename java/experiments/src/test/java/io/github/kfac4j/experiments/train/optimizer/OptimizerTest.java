package io.github.kfac4j.experiments.train.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.kfac4j.trainer.Schedule;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Against the formulas written out in fp64. */
class OptimizerTest {
  private static final float[] START = {1f, -2f, 0.5f};
  private static final float[][] GRADIENTS = {
    {0.1f, -0.2f, 3f}, {-0.4f, 0f, 1e-3f}, {0.7f, 0.7f, -2f}, {0.2f, -5f, 0.1f}
  };

  private interface Maker {
    Optimizer make(Map<String, NDArray> parameters, NDManager manager);
  }

  private static float[] run(Maker maker, double rate) {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray w = manager.create(START);
      Optimizer optimizer = maker.make(Map.of("w", w), manager);
      for (int step = 0; step < GRADIENTS.length; step++) {
        float[] gradient = GRADIENTS[step];
        NDArray g = manager.create(gradient);
        optimizer.step(Map.of("w", w), Map.of("w", g), rate, step);
        assertThat(g.toFloatArray()).isEqualTo(gradient);
      }
      return w.toFloatArray();
    }
  }

  @Test
  void sgdIsHeavyBall() {
    Schedule momentum = Schedule.piecewise(Map.of(0L, 0.9, 2L, 0.5));
    float[] actual = run((parameters, manager) -> new Sgd(parameters, manager, momentum), 0.1);
    for (int i = 0; i < START.length; i++) {
      double w = START[i];
      double v = 0;
      for (int step = 0; step < GRADIENTS.length; step++) {
        v = (step < 2 ? 0.9 : 0.5) * v + GRADIENTS[step][i];
        w -= 0.1 * v;
      }
      assertThat((double) actual[i]).isCloseTo(w, within(1e-6));
    }
  }

  @Test
  void adamIsTheAlgorithmOfThePaper() {
    float[] actual =
        run((parameters, manager) -> new Adam(0.9, 0.999, 1e-8, parameters, manager), 0.05);
    for (int i = 0; i < START.length; i++) {
      double w = START[i];
      double m = 0;
      double v = 0;
      for (int t = 1; t <= GRADIENTS.length; t++) {
        double g = GRADIENTS[t - 1][i];
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        double mHat = m / (1 - Math.pow(0.9, t));
        double vHat = v / (1 - Math.pow(0.999, t));
        w -= 0.05 * mHat / (Math.sqrt(vHat) + 1e-8);
      }
      assertThat((double) actual[i]).isCloseTo(w, within(2e-6));
    }
  }

  @Test
  void theStateIsAllThatIsRemembered() {
    for (Maker maker :
        new Maker[] {
          (parameters, manager) -> new Sgd(parameters, manager, Schedule.constant(0.9)),
          (parameters, manager) -> new Adam(0.9, 0.999, 1e-8, parameters, manager)
        }) {
      float[] expected = run(maker, 0.1);
      try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
        NDArray w = manager.create(START);
        Optimizer optimizer = maker.make(Map.of("w", w), manager);
        for (int step = 0; step < GRADIENTS.length; step++) {
          NDArray g = manager.create(GRADIENTS[step]);
          optimizer.step(Map.of("w", w), Map.of("w", g), 0.1, step);
          // go on with another instance that gets the state
          Optimizer next = maker.make(Map.of("w", w), manager);
          Optimizer old = optimizer;
          next.state()
              .forEach(
                  (name, array) ->
                      array.toByteBuffer(true).put(old.state().get(name).toByteBuffer(true)));
          optimizer = next;
        }
        assertThat(w.toFloatArray()).isEqualTo(expected);
      }
    }
  }
}
