package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.trainer.Rates.Memory;
import io.github.kfac4j.trainer.Rates.Order;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

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
            RULE.withRates(Rates.quadraticMinimumWithMomentum()),
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
          public void precondition(
              double damping, double learningRate, Preconditioner.Refresh refresh) {
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

  @Test
  void weightsAndGradientsHaveMemoryOfTheirOwn() {
    Quadratic problem = new Quadratic(1);
    KfacOptimizer optimizer = new KfacOptimizer(problem.weights, RULE);
    double[] before = problem.w.clone();
    Map<String, HostTensor> gradients = new HashMap<>(problem.gradient());
    gradients.put("b", problem.weights.get("b"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.step(gradients, identity(), problem))
        .withMessage(
            "parameter 'b': the weight and parameter 'b': the gradient share memory, and both are to"
                + " be overwritten: copy one of them");
    assertThat(problem.w).containsExactly(before);
    assertThat(optimizer.steps()).isZero();
    double[] one = new double[4];
    Map<String, HostTensor> tied =
        Map.of("a", HostTensor.of(one, 2, 2), "b", HostTensor.of(one, 4));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new KfacOptimizer(tied, RULE))
        .withMessageContaining("share memory");
  }

  @ParameterizedTest
  @CsvSource({
    "-5, 1e-3, 1, the number of steps -5.0, which must be a whole number from 0",
    "1.5, 1e-3, 1, the number of steps 1.5",
    "NaN, 1e-3, 1, the number of steps NaN",
    "1, NaN, 1, the damping NaN, which must be a number from 0",
    "1, -1, 1, the damping -1.0",
    "1, 1e-3, Infinity, the gamma Infinity",
  })
  void aSavedStateWithImpossibleCountersIsRefused(
      double steps, double damping, double gamma, String reason) {
    KfacOptimizer optimizer = new KfacOptimizer(new Quadratic(1).weights, RULE);
    Map<String, StoredTensor> before = optimizer.toTensors();
    Map<String, StoredTensor> state = new HashMap<>(before);
    state.put("counters", StoredTensor.of(new double[] {steps, damping, gamma}, 3));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.restore(state))
        .withMessageContaining("the saved optimizer state has " + reason);
    assertThat(optimizer.toTensors()).isEqualTo(before);
  }

  @Test
  void aSavedMemoryThatIsNotFiniteIsRefused() {
    KfacOptimizer optimizer = new KfacOptimizer(new Quadratic(1).weights, RULE);
    Map<String, StoredTensor> before = optimizer.toTensors();
    Map<String, StoredTensor> state = new HashMap<>(before);
    state.put("memory.b", StoredTensor.of(new double[] {1, Double.NaN}, 2));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.restore(state))
        .withMessageContaining("NaN in 'memory.b' at flat index 1, which is not finite");
    assertThat(optimizer.toTensors()).isEqualTo(before);
  }

  private static Preconditioner identity() {
    return new Preconditioner() {
      @Override
      public void precondition(
          double damping, double learningRate, Preconditioner.Refresh refresh) {}

      @Override
      public void preview(double damping) {}
    };
  }

  /** A layout with gaps is one like any other, one that repeats itself cannot be written. */
  @Test
  void weightsAndGradientsMayHaveStrides() {
    float[] memory = {1, 0, 2, 0, 3, 0};
    HostTensor weight = HostTensor.strided(FloatBuffer.wrap(memory), new int[] {3}, 2);
    KfacOptimizer optimizer = new KfacOptimizer(Map.of("w", weight), UpdateRule.of(0.5, 0, 0.1));
    HostTensor gradient = HostTensor.of(new float[] {2, 4, 6}, 3);
    optimizer.step(Map.of("w", gradient), identity(), null);
    assertThat(memory).containsExactly(0, 0, 0, 0, 0, 0);
    HostTensor one = HostTensor.strided(FloatBuffer.wrap(memory), new int[] {3}, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.step(Map.of("w", one), identity(), null))
        .withMessageContaining("parameter 'w': the gradient of shape [3] has strides [0]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new KfacOptimizer(Map.of("w", one), UpdateRule.of(0.5, 0, 0.1)))
        .withMessageContaining("parameter 'w': the weight of shape [3] has strides [0]");
  }
}
