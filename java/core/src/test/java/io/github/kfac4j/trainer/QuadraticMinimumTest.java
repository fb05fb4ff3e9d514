package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Learning rate and momentum from the exact quadratic model. */
class QuadraticMinimumTest {
  private static final UpdateRule RULE = UpdateRule.of(0.3, 0.7, 0.2);

  /** One step along the same direction: no learning rate does better than the model's. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theModelsLearningRateBeatsAnyOther(long seed) {
    UpdateRule tiny = RULE.withDamping(DampingRule.constant(1e-12));
    Quadratic best = new Quadratic(seed);
    best.step(new KfacOptimizer(best.weights, tiny.withRates(Rates.quadraticMinimum())));
    for (double rate = 1e-4; rate < 100; rate *= 1.02) {
      Quadratic other = new Quadratic(seed);
      other.step(new KfacOptimizer(other.weights, UpdateRule.of(rate, 0, 1e-12)));
      assertThat(best.loss()).isLessThanOrEqualTo(other.loss() + 1e-12);
    }
  }

  /** Several steps: with momentum it is conjugate gradients, which ends after N steps. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theQuadraticMinimumBeatsAnyFixedLearningRate(long seed) {
    Quadratic problem = new Quadratic(seed);
    KfacOptimizer optimizer =
        new KfacOptimizer(
            problem.weights,
            RULE.withDamping(DampingRule.constant(1e-12))
                .withRates(Rates.quadraticMinimumWithMomentum()));
    double loss = problem.loss();
    for (int step = 0; step < Quadratic.N; step++) {
      OptimizerReport report = problem.step(optimizer);
      assertThat(problem.loss() - loss).isCloseTo(report.predictedChange(), within(1e-10));
      loss = problem.loss();
      if (step == 3) {
        for (double rate = 1e-3; rate < 10; rate *= 1.05) {
          for (double momentum : new double[] {0, 0.3, 0.6, 0.9}) {
            Quadratic other = new Quadratic(seed);
            KfacOptimizer fixed =
                new KfacOptimizer(other.weights, UpdateRule.of(rate, momentum, 1e-12));
            for (int i = 0; i <= step; i++) {
              other.step(fixed);
            }
            assertThat(loss).isLessThan(other.loss());
          }
        }
      }
    }
    assertThat(loss).isCloseTo(problem.least(), within(1e-9));
  }

  @Test
  void theModelCopesWithDirectionsThatAreZeroOrParallel() {
    double[][] parallel = {{2, 4}, {4, 8}};
    assertThat(new QuadraticModel(new double[] {1, 2}, parallel).minimum()).containsExactly(0.5, 0);
    assertThat(new QuadraticModel(new double[] {1, 0}, new double[][] {{2, 0}, {0, 0}}).minimum())
        .containsExactly(0.5, 0);
    assertThat(new QuadraticModel(new double[2], new double[2][2]).minimum()).containsExactly(0, 0);
    QuadraticModel model =
        new QuadraticModel(new double[] {1, -1}, new double[][] {{2, 1}, {1, 3}});
    double[] c = model.minimum();
    for (double[] near : List.of(new double[] {1e-3, 0}, new double[] {0, -1e-3})) {
      assertThat(model.at(c)).isLessThan(model.at(c[0] + near[0], c[1] + near[1]));
    }
  }
}
