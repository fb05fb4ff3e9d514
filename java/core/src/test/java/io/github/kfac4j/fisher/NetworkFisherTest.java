package io.github.kfac4j.fisher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Fisher of a whole network {@code W2 tanh(W1 x)}, against every target of every example. */
class NetworkFisherTest {
  private static final int N = 4;
  private static final int IN = 3;
  private static final int HIDDEN = 4;
  private static final int OUT = 3;
  private final double[] x = Fixtures.gaussian(new Random(1), N * IN);
  private final double[] w1 = Fixtures.gaussian(new Random(2), HIDDEN * IN);
  private final double[] w2 = Fixtures.gaussian(new Random(3), OUT * HIDDEN);

  static List<OutputLoss> losses() {
    return List.of(
        OutputLoss.SOFTMAX, OutputLoss.BERNOULLI.ofSum(), OutputLoss.gaussian(0.3).ofSum());
  }

  private double[] hidden(double[] weights, int n) {
    double[] h = new double[HIDDEN];
    for (int j = 0; j < HIDDEN; j++) {
      for (int i = 0; i < IN; i++) {
        h[j] += weights[j * IN + i] * x[n * IN + i];
      }
      h[j] = Math.tanh(h[j]);
    }
    return h;
  }

  private double[] outputs(double[] weights) {
    double[] z = new double[N * OUT];
    for (int n = 0; n < N; n++) {
      double[] one = Literal.multiply(w2, hidden(weights, n), OUT, HIDDEN, 1);
      System.arraycopy(one, 0, z, n * OUT, OUT);
    }
    return z;
  }

  /** The gradient at the hidden layer's pre-activation, for a gradient at the outputs. */
  private double[] back(double[] r, int n) {
    double[] g = Literal.multiply(Literal.transpose(w2, OUT, HIDDEN), r, HIDDEN, OUT, 1);
    double[] h = hidden(w1, n);
    for (int j = 0; j < HIDDEN; j++) {
      g[j] *= 1 - h[j] * h[j];
    }
    return g;
  }

  /** The Fisher of W1: the sum over columns of F_R's root, each a target's weighted gradient. */
  private double[] enumerated(OutputLoss loss) {
    double[] fisher = new double[HIDDEN * IN * HIDDEN * IN];
    for (int n = 0; n < N; n++) {
      double[] z = new double[OUT];
      System.arraycopy(outputs(w1), n * OUT, z, 0, OUT);
      double[] outputFisher = FisherTest.exact(loss, z);
      double[][] jacobian = new double[OUT][];
      for (int k = 0; k < OUT; k++) {
        double[] unit = new double[OUT];
        unit[k] = 1;
        double[] g = back(unit, n);
        jacobian[k] = new double[HIDDEN * IN];
        for (int i = 0; i < HIDDEN * IN; i++) {
          jacobian[k][i] = g[i / IN] * x[n * IN + i % IN];
        }
      }
      for (int i = 0; i < fisher.length; i++) {
        for (int k = 0; k < OUT * OUT; k++) {
          fisher[i] +=
              outputFisher[k]
                  * jacobian[k / OUT][i / (HIDDEN * IN)]
                  * jacobian[k % OUT][i % (HIDDEN * IN)]
                  / N;
        }
      }
    }
    return fisher;
  }

  /** G of the hidden layer as K-FAC sees it through the passes of an estimator. */
  private double[] outputFactor(Fisher fisher, long step) {
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0);
    HostTensor outputs = HostTensor.of(outputs(w1), N, OUT);
    try (Kfac kfac =
        new Kfac(new JavaBackend(), Map.of("hidden", new Dense(IN, HIDDEN, false)), options)) {
      int passes = fisher.passes(Shape.of(N, OUT));
      for (int pass = 0; pass < passes; pass++) {
        double[] r = new double[N * OUT];
        fisher.outputGradient(outputs, step, pass, HostTensor.of(r, N, OUT));
        double[] g = new double[N * HIDDEN];
        for (int n = 0; n < N; n++) {
          double[] one = new double[OUT];
          System.arraycopy(r, n * OUT, one, 0, OUT);
          System.arraycopy(back(one, n), 0, g, n * HIDDEN, HIDDEN);
        }
        Observation observation =
            new Observation(
                "hidden", HostTensor.of(x, N, IN), HostTensor.of(g, N, HIDDEN), Math.sqrt(passes));
        kfac.observe(List.of(observation), Share.ALL.ofPass(pass, passes));
      }
      assertThat(Fixtures.error(kfac.state().inputFactor("hidden"), inputFactor()))
          .isLessThan(1e-14);
      return kfac.state().outputFactor("hidden");
    }
  }

  private double[] inputFactor() {
    double[] a = new double[IN * IN];
    for (int i = 0; i < N * a.length; i++) {
      int n = i / a.length;
      int k = i % a.length;
      a[k] += x[n * IN + k / IN] * x[n * IN + k % IN] / N;
    }
    return a;
  }

  private double[] exactOutputFactor(OutputLoss loss) {
    double[] g = new double[HIDDEN * HIDDEN];
    for (int n = 0; n < N; n++) {
      double[] z = new double[OUT];
      System.arraycopy(outputs(w1), n * OUT, z, 0, OUT);
      double[] outputFisher = FisherTest.exact(loss, z);
      double[][] rows = new double[OUT][];
      for (int k = 0; k < OUT; k++) {
        double[] unit = new double[OUT];
        unit[k] = 1;
        rows[k] = back(unit, n);
      }
      for (int i = 0; i < g.length; i++) {
        for (int k = 0; k < OUT * OUT; k++) {
          g[i] += outputFisher[k] * rows[k / OUT][i / HIDDEN] * rows[k % OUT][i % HIDDEN] / N;
        }
      }
    }
    return g;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theExactPassesGiveTheExactFactors(OutputLoss loss) {
    assertThat(
            Fixtures.error(outputFactor(Fisher.exact().withLoss(loss), 0), exactOutputFactor(loss)))
        .isLessThan(1e-13);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void drawnPassesAverageToTheExactFactors(OutputLoss loss) {
    double[] exact = exactOutputFactor(loss);
    for (Fisher fisher : List.of(Fisher.monteCarlo(1), Fisher.curvaturePropagation(1))) {
      double[] mean = new double[exact.length];
      for (int k = 0; k < 20_000; k++) {
        double[] g = outputFactor(fisher.withLoss(loss), k);
        for (int i = 0; i < g.length; i++) {
          mean[i] += g[i] / 20_000;
        }
      }
      assertThat(Fixtures.frobeniusError(mean, exact)).isLessThan(0.03);
    }
  }

  /** The quadratic form through Jacobian-vector products is that of the enumerated matrix. */
  @ParameterizedTest
  @MethodSource("losses")
  void jacobianVectorProductsGiveTheQuadraticForm(OutputLoss loss) {
    double[] d = Fixtures.gaussian(new Random(7), HIDDEN * IN);
    double step = 1e-6;
    double[] plus = w1.clone();
    double[] minus = w1.clone();
    for (int i = 0; i < d.length; i++) {
      plus[i] += step * d[i];
      minus[i] -= step * d[i];
    }
    double[] above = outputs(plus);
    double[] below = outputs(minus);
    double[] jd = new double[above.length];
    for (int i = 0; i < jd.length; i++) {
      jd[i] = (above[i] - below[i]) / (2 * step);
    }
    double[] fd = Literal.multiply(enumerated(loss), d, d.length, d.length, 1);
    double expected = 0;
    for (int i = 0; i < d.length; i++) {
      expected += d[i] * fd[i];
    }
    assertThat(loss.curvature(HostTensor.of(outputs(w1), N, OUT), jd, jd))
        .isCloseTo(expected, within(1e-7 * expected));
  }
}
