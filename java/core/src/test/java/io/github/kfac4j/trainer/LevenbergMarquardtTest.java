package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Damping that follows the reduction ratio, and gamma of the factors. */
class LevenbergMarquardtTest {
  private static final UpdateRule RULE = UpdateRule.of(0.3, 0.7, 0.2);

  @Test
  void dampingFallsToItsFloorOnAQuadraticAndRisesOnAFailure() {
    Quadratic problem = new Quadratic(3);
    LevenbergMarquardt lm = new LevenbergMarquardt(10, 5, 0.95, 1e-3, 50, 0);
    double l2 = 0.01;
    KfacOptimizer optimizer =
        new KfacOptimizer(
            problem.weights,
            RULE.withDamping(lm)
                .withRates(Rates.quadraticMinimumWithMomentum())
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
        // lambda is in the model and not in the loss, which falls by more than predicted
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
  void theRatioIsJudgedByTheSignOfThePrediction() {
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
            problem.weights, RULE.withDamping(lm).withRates(Rates.quadraticMinimum()));
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
}
