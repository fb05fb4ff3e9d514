package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Eschenhagen et al. 2023, propositions 1 and 2: a linear layer on a sequence, with a Gaussian
 * likelihood of every position (expand) or of the mean over positions (reduce). The Fisher is
 * formed from the gradients of every output direction of each example, and both must be exact.
 */
class WeightSharingTest {
  private static final int N = 5;
  private static final int T = 4;
  private static final int IN = 3;
  private static final int OUT = 2;
  private static final double LAMBDA = 0.02;

  @ParameterizedTest
  @EnumSource(WeightSharing.class)
  void theBlockIsTheFisherOfItsLoss(WeightSharing sharing) {
    boolean expand = sharing == WeightSharing.EXPAND;
    Random random = new Random(9);
    double[] x = gaussian(random, N * T * IN);
    // one pseudo-example for each example and independent direction of the likelihood
    int directions = expand ? OUT * T : OUT;
    int examples = N * directions;
    double[] inputs = new double[examples * T * IN];
    double[] grads = new double[examples * T * OUT];
    double[][] gradients = new double[examples][OUT * (IN + 1)];
    for (int e = 0; e < examples; e++) {
      int n = e / directions;
      int k = e % directions % OUT;
      for (int t = 0; t < T; t++) {
        System.arraycopy(x, (n * T + t) * IN, inputs, (e * T + t) * IN, IN);
        double g = expand ? (t == e % directions / OUT ? 1 : 0) : 1.0 / T;
        g *= Math.sqrt(directions);
        grads[(e * T + t) * OUT + k] = g;
        for (int i = 0; i < IN; i++) {
          gradients[e][k * (IN + 1) + i] += g * x[(n * T + t) * IN + i];
        }
        gradients[e][k * (IN + 1) + IN] += g;
      }
    }
    double[] fisher = Literal.secondMoment(gradients);
    for (int i = 0; i < fisher.length; i++) {
      fisher[i] /= examples;
    }
    double[] dw = gaussian(random, OUT * (IN + 1));
    double[] expected = Networks.exact(fisher, LAMBDA, dw);
    KfacOptions options = OPTIONS.withDampingMode(DampingMode.EXACT).withDamping(LAMBDA);
    Observation batch =
        Networks.observation(
            HostTensor.of(inputs, examples, T, IN), HostTensor.of(grads, examples, T, OUT));
    for (Convention convention :
        new Convention[] {Convention.KFC, Convention.TENSORFLOW_KFAC, Convention.KFAC_JAX}) {
      try (Kfac kfac =
          Networks.kfac(
              new Dense(IN, OUT, true, sharing),
              options.withConvention(convention).withEstimator(Fisher.Estimator.MONTE_CARLO))) {
        double[] u = Networks.precondition(kfac, batch, dw);
        assertThat(Fixtures.error(u, expected)).isLessThan(1e-10);
      }
    }
  }
}
