package io.github.kfac4j.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.backend.Fixtures;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.step.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.step.Rates.Memory;
import io.github.kfac4j.step.Rates.Order;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The update rules on a quadratic, against their formulas written out. */
class KfacOptimizerTest {
  private static final Schedule RATE = Schedule.linear(0.3, 0.2, 5);
  private static final Schedule BETA = Schedule.constant(0.7);
  private static final double LAMBDA = 0.2;
  private static final UpdateRule RULE = UpdateRule.of(0.3, 0.7, LAMBDA);

  static Stream<UpdateRule> scheduledRules() {
    UpdateRule velocity = RULE.withRates(new Rates.Scheduled(RATE, BETA));
    return Stream.of(
        velocity,
        velocity.withWeightDecay(new WeightDecay(WeightDecay.Mode.L2, 0.1)),
        velocity.withWeightDecay(new WeightDecay(WeightDecay.Mode.DECOUPLED, 0.1)),
        RULE.withRates(new Rates.Scheduled(RATE, BETA, Memory.UPDATE, Order.PRECONDITION_FIRST)),
        RULE.withRates(new Rates.Scheduled(RATE, BETA, Memory.VELOCITY, Order.MOMENTUM_FIRST)),
        velocity.withDamping(new DampingRule.Scheduled(Schedule.warmUp(1, 0.01, 20))));
  }

  static Stream<UpdateRule> rules() {
    return Stream.concat(
        scheduledRules(),
        Stream.of(
            RULE.withRates(new Rates.QuadraticMinimum(true)),
            RULE.withDamping(new LevenbergMarquardt(LAMBDA, 2, 0.9, 1e-3, 10, 3))));
  }

  /** One step by the formulas; returns the new memory. */
  private static double[] expected(UpdateRule rule, Quadratic problem, double[] v, int step) {
    Rates.Scheduled rates = (Rates.Scheduled) rule.rates();
    double alpha = rates.learningRate().at(step);
    double beta = rates.momentum().at(step);
    double l2 = rule.weightDecay().l2();
    double damping = ((DampingRule.Scheduled) rule.damping()).schedule().at(step) + l2;
    boolean first = rates.order() == Order.MOMENTUM_FIRST;
    double[] g = Quadratic.flat(problem.gradient());
    double[] memory = v.clone();
    for (int i = 0; i < g.length; i++) {
      double w = problem.w[i];
      double gradient = g[i] + l2 * w;
      double inverse = 1 / (problem.h[i * g.length + i] + damping);
      double move;
      if (first) {
        memory[i] = beta * v[i] + gradient;
        move = alpha * inverse * memory[i];
      } else if (rates.memory() == Memory.UPDATE) {
        memory[i] = beta * v[i] + alpha * inverse * gradient;
        move = memory[i];
      } else {
        memory[i] = beta * v[i] + inverse * gradient;
        move = alpha * memory[i];
      }
      problem.w[i] = w - move - alpha * rule.weightDecay().decoupled() * w;
    }
    return memory;
  }

  @ParameterizedTest
  @MethodSource("scheduledRules")
  void stepsFollowTheFormulas(UpdateRule rule) {
    Quadratic problem = new Quadratic(1);
    Quadratic reference = new Quadratic(1);
    KfacOptimizer optimizer = new KfacOptimizer(problem.weights, rule);
    double[] v = new double[Quadratic.N];
    for (int step = 0; step < 8; step++) {
      problem.step(optimizer);
      v = expected(rule, reference, v, step);
      assertThat(Fixtures.error(problem.w, reference.w)).isLessThan(1e-12);
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aSavedOptimizerContinuesBitByBit(UpdateRule rule) {
    Quadratic straight = new Quadratic(1);
    Quadratic resumed = new Quadratic(1);
    KfacOptimizer first = new KfacOptimizer(straight.weights, rule);
    for (int step = 0; step < 5; step++) {
      straight.step(first);
    }
    KfacOptimizer second = new KfacOptimizer(resumed.weights, rule);
    resumed.step(second);
    second.restore(first.toTensors());
    System.arraycopy(straight.w, 0, resumed.w, 0, Quadratic.N);
    for (int step = 5; step < 12; step++) {
      assertThat(resumed.step(second)).isEqualTo(straight.step(first));
      assertThat(resumed.w).containsExactly(straight.w);
    }
  }

  /** One step along the same direction: no learning rate does better than the model's. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theModelsLearningRateBeatsAnyOther(long seed) {
    UpdateRule tiny = RULE.withDamping(DampingRule.constant(1e-12));
    Quadratic best = new Quadratic(seed);
    best.step(new KfacOptimizer(best.weights, tiny.withRates(new Rates.QuadraticMinimum(false))));
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
                .withRates(new Rates.QuadraticMinimum(true)));
    double loss = problem.loss();
    for (int step = 0; step < Quadratic.N; step++) {
      OptimizerReport report = problem.step(optimizer);
      assertThat(problem.loss() - loss).isCloseTo(report.foretold(), within(1e-10));
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

  @Test
  void dampingFallsToItsFloorOnAQuadraticAndRisesOnAFailure() {
    Quadratic problem = new Quadratic(3);
    LevenbergMarquardt lm = new LevenbergMarquardt(10, 5, 0.95, 1e-3, 50, 0);
    double l2 = 0.01;
    KfacOptimizer optimizer =
        new KfacOptimizer(
            problem.weights,
            RULE.withDamping(lm)
                .withRates(new Rates.QuadraticMinimum(true))
                .withWeightDecay(new WeightDecay(WeightDecay.Mode.L2, l2)));
    double damping = 10;
    for (int step = 1; step <= 300; step++) {
      boolean measured = step % 5 == 0;
      if (measured) {
        // away from the minimum, where rounding would decide
        Arrays.setAll(problem.w, i -> problem.w[i] + 1);
      }
      OptimizerReport report = problem.step(optimizer);
      assertThat(report.damping()).isCloseTo(damping + l2, within(1e-12));
      assertThat(problem.lastFactorDamping()).isEqualTo(report.damping());
      if (measured) {
        // lambda is in the model and not in the loss, which falls by more than foretold
        assertThat(report.ratio()).isGreaterThan(1);
        damping = Math.max(1e-3, damping * Math.pow(0.95, 5));
      } else {
        assertThat(report.ratio()).isNaN();
      }
    }
    assertThat(damping).isEqualTo(1e-3);

    problem.surprise = 1e3; // every evaluation is worse than the one before
    for (int step = 1; step <= 10; step++) {
      OptimizerReport report = problem.step(optimizer);
      if (step % 5 == 0) {
        assertThat(report.ratio()).isNegative();
      }
    }
    assertThat(problem.step(optimizer).damping())
        .isCloseTo(1e-3 / Math.pow(0.95, 10) + l2, within(1e-12));
    problem.surprise = Double.NaN; // a loss that is not finite is a failure too
    for (int step = 0; step < 1000; step++) {
      problem.step(optimizer);
    }
    assertThat(problem.step(optimizer).damping()).isEqualTo(50 + l2);
  }

  @Test
  void theRatioIsJudgedByTheSignOfWhatWasForetold() {
    assertThat(LevenbergMarquardt.ratio(-2, -4)).isEqualTo(0.5);
    assertThat(LevenbergMarquardt.ratio(-1, 0.1)).isEqualTo(1);
    assertThat(LevenbergMarquardt.ratio(1, 0.1)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(LevenbergMarquardt.ratio(Double.NaN, -1)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(LevenbergMarquardt.ratio(0, 0)).isEqualTo(0.5);
    LevenbergMarquardt lm = new LevenbergMarquardt(1, 5, 0.9, 0.1, 2, 0);
    assertThat(lm.next(1, 0.5)).isEqualTo(1);
    assertThat(lm.next(1, 0.75)).isEqualTo(1);
    assertThat(lm.next(1, 0.8)).isEqualTo(Math.pow(0.9, 5));
    assertThat(lm.next(1, 0.2)).isEqualTo(1 / Math.pow(0.9, 5));
    assertThat(lm.next(0.11, 0.8)).isEqualTo(0.1);
    assertThat(lm.next(1.9, 0.2)).isEqualTo(2);
  }

  /** Each choice of gamma is the candidate whose direction has the lowest model value. */
  @Test
  void gammaIsTheBestOfItsNeighbours() {
    Quadratic problem = new Quadratic(4);
    LevenbergMarquardt lm = new LevenbergMarquardt(4, 1, 0.5, 1e-6, 100, 2);
    KfacOptimizer optimizer =
        new KfacOptimizer(
            problem.weights, RULE.withDamping(lm).withRates(new Rates.QuadraticMinimum(false)));
    double gamma = 2;
    for (int step = 0; step < 12; step++) {
      if (step % 2 == 0) {
        double best = Double.POSITIVE_INFINITY;
        double old = gamma;
        double lambda = optimizer.toTensors().get("counters").asDoubleBuffer().get(1);
        for (double candidate : new double[] {old, 0.5 * old, 2 * old}) {
          Map<String, HostTensor> raw = problem.gradient();
          Map<String, HostTensor> d = problem.gradient();
          problem.diagonal(d).preview(candidate * candidate);
          double slope = Tensors.dot(raw, d);
          double curvature = problem.curvature(List.of(d))[0][0] + lambda * Tensors.dot(d, d);
          double value = -0.5 * slope * slope / curvature;
          if (value < best) {
            best = value;
            gamma = candidate;
          }
        }
      }
      assertThat(problem.step(optimizer).factorDamping()).isCloseTo(gamma * gamma, within(1e-12));
      assertThat(problem.lastFactorDamping()).isCloseTo(gamma * gamma, within(1e-12));
    }
    assertThat(gamma).isLessThan(1); // it follows lambda down
  }

  @Test
  void rescalingShrinksMatricesAndNothingElse() {
    Quadratic problem = new Quadratic(1);
    Arrays.setAll(problem.w, i -> 10.0 + i);
    KfacOptimizer optimizer =
        new KfacOptimizer(problem.weights, UpdateRule.of(1e-9, 0, 1).withRescaling());
    problem.step(optimizer);
    double norm = Math.sqrt(Tensors.dot(problem.weights.get("a"), problem.weights.get("a")));
    assertThat(norm).isCloseTo(Math.sqrt(2 * 2), within(1e-8)); // a has two outputs
    assertThat(problem.w[4]).isCloseTo(14, within(1e-6));
    Arrays.fill(problem.w, 0.1);
    problem.step(optimizer);
    assertThat(problem.w[0]).isCloseTo(0.1, within(1e-6)); // never grows
  }

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
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aStepThatFailsChangesNothing(UpdateRule rule) {
    Quadratic problem = new Quadratic(1);
    KfacOptimizer optimizer = new KfacOptimizer(problem.weights, rule);
    problem.step(optimizer);
    double[] before = problem.w.clone();
    Map<String, StoredTensor> state = optimizer.toTensors();
    Preconditioner failing =
        new Preconditioner() {
          @Override
          public void precondition(double damping, double learningRate, boolean refresh) {
            throw new IllegalArgumentException("layer 'a': NaN");
          }

          @Override
          public void preview(double damping) {}
        };
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.step(problem.gradient(), failing, problem))
        .withMessage("layer 'a': NaN");
    assertThat(problem.w).containsExactly(before);
    assertThat(optimizer.toTensors()).isEqualTo(state);
  }

  @Test
  void badInputIsRefusedAndNothingChanges() {
    Quadratic problem = new Quadratic(1);
    KfacOptimizer optimizer = new KfacOptimizer(problem.weights, RULE);
    double[] before = problem.w.clone();
    Map<String, HostTensor> gradients = new HashMap<>(problem.gradient());
    gradients.remove("b");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.step(gradients, problem.diagonal(gradients), problem))
        .withMessage("parameter 'b': the gradient has shape none, expected [2]");
    Map<String, StoredTensor> state = optimizer.toTensors();
    state.remove("memory.b");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.restore(state))
        .withMessageContaining("nothing for 'memory.b', expected F64[2]");
    assertThat(problem.w).containsExactly(before);
  }
}
