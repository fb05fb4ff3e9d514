package io.github.kfac4j.fisher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Estimates of the Fisher of the outputs against the sum over every target there is. */
class FisherTest {
  private static final int OUTPUTS = 3;
  private static final double[] Z = {0.4, -1.2, 0.9};

  /** A target's probability and the gradient of its negative log likelihood. */
  record Target(double probability, double[] gradient) {}

  /** Every label of a softmax, every pattern of bits. */
  static List<Target> enumerate(OutputLoss loss, double[] z) {
    if (loss instanceof OutputLoss.Softmax) {
      double sum = 0;
      for (double value : z) {
        sum += Math.exp(value);
      }
      double total = sum;
      return Stream.iterate(0, y -> y < z.length, y -> y + 1)
          .map(
              y -> {
                double[] gradient = new double[z.length];
                for (int i = 0; i < z.length; i++) {
                  gradient[i] = Math.exp(z[i]) / total - (i == y ? 1 : 0);
                }
                return new Target(Math.exp(z[y]) / total, gradient);
              })
          .toList();
    }
    return Stream.iterate(0, y -> y < 1 << z.length, y -> y + 1)
        .map(
            y -> {
              double probability = 1;
              double[] gradient = new double[z.length];
              for (int i = 0; i < z.length; i++) {
                double p = 1 / (1 + Math.exp(-z[i]));
                int bit = y >> i & 1;
                probability *= bit == 1 ? p : 1 - p;
                gradient[i] = p - bit;
              }
              return new Target(probability, gradient);
            })
        .toList();
  }

  /** F_R by definition; for the Gaussian by its closed form. */
  static double[] exact(OutputLoss loss, double[] z) {
    int n = z.length;
    double[] fisher = new double[n * n];
    if (loss instanceof OutputLoss.Gaussian gaussian) {
      for (int i = 0; i < n; i++) {
        fisher[i * n + i] = 1 / gaussian.variance();
      }
      return fisher;
    }
    for (Target target : enumerate(loss, z)) {
      addOuter(fisher, target.gradient(), target.probability());
    }
    return fisher;
  }

  private static void addOuter(double[] sum, double[] g, double weight) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * g[i / g.length] * g[i % g.length];
    }
  }

  static List<OutputLoss> losses() {
    return List.of(
        OutputLoss.SOFTMAX, OutputLoss.BERNOULLI.ofSum(), OutputLoss.gaussian(0.3).ofSum());
  }

  private static double[] gradient(Fisher fisher, double[] z, long step, int pass, int... shape) {
    double[] result = new double[z.length];
    fisher.outputGradient(HostTensor.of(z, shape), step, pass, HostTensor.of(result, shape));
    return result;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theExactFisherIsTheSumOverAllTargets(OutputLoss loss) {
    Fisher fisher = Fisher.exact().withLoss(loss);
    double[] sum = new double[OUTPUTS * OUTPUTS];
    assertThat(fisher.passes(Shape.of(1, OUTPUTS))).isEqualTo(OUTPUTS);
    for (int pass = 0; pass < OUTPUTS; pass++) {
      addOuter(sum, gradient(fisher, Z, 0, pass, 1, OUTPUTS), 1);
    }
    assertThat(Fixtures.error(sum, exact(loss, Z))).isLessThan(1e-14);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void productsAndRootsAreThoseOfTheMatrix(OutputLoss loss) {
    double[] v = Fixtures.gaussian(new Random(5), OUTPUTS);
    double[] product = new double[OUTPUTS];
    loss.fisher(Z, v, product);
    double[] expected = Literal.multiply(exact(loss, Z), v, OUTPUTS, OUTPUTS, 1);
    assertThat(Fixtures.error(product, expected)).isLessThan(1e-14);
    double[] u = Fixtures.gaussian(new Random(6), OUTPUTS);
    double dot = 0;
    for (int i = 0; i < OUTPUTS; i++) {
      dot += u[i] * expected[i];
    }
    assertThat(loss.curvature(HostTensor.of(Z, 1, OUTPUTS), u, v)).isCloseTo(dot, within(1e-14));
  }

  /** The root mean square error of means over K draws, over many repetitions. */
  private static double error(Fisher kind, OutputLoss loss, int draws) {
    int repetitions = 400;
    double[] exact = exact(loss, Z);
    double squares = 0;
    for (int repetition = 0; repetition < repetitions; repetition++) {
      Fisher fisher = new Fisher(kind.estimator(), loss, repetition);
      double[] mean = new double[exact.length];
      for (int k = 0; k < draws; k++) {
        addOuter(mean, gradient(fisher, Z, k, 0, 1, OUTPUTS), 1.0 / draws);
      }
      for (int i = 0; i < exact.length; i++) {
        squares += Math.pow(mean[i] - exact[i], 2);
      }
    }
    return Math.sqrt(squares / repetitions);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void monteCarloConvergesAtOneOverTheRootOfTheSamples(OutputLoss loss) {
    assertThat(error(Fisher.monteCarlo(0), loss, 4) / error(Fisher.monteCarlo(0), loss, 64))
        .isCloseTo(4, within(0.5));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void curvaturePropagationConvergesAtOneOverTheRootOfTheSamples(OutputLoss loss) {
    Fisher fisher = Fisher.curvaturePropagation(0);
    assertThat(error(fisher, loss, 4) / error(fisher, loss, 64)).isCloseTo(4, within(0.5));
  }

  @Test
  void rowsOfAnExampleShareItsMeanAndHaveTheirOwnPasses() {
    Fisher fisher = Fisher.exact();
    double[] z = {0.4, -1.2, 0.9, 0.1, 2, -0.3, 1, 1, 0, -1, 0.2, 0.7};
    int[] shape = {2, 2, 3};
    assertThat(fisher.passes(Shape.of(shape))).isEqualTo(6);
    double[] sum = new double[36];
    for (int pass = 0; pass < 6; pass++) {
      double[] g = gradient(fisher, z, 0, pass, shape);
      addOuter(sum, Arrays.copyOfRange(g, 6, 12), 1);
    }
    double[] expected = new double[36];
    for (int t = 0; t < 2; t++) {
      double[] block = exact(OutputLoss.SOFTMAX, Arrays.copyOfRange(z, 6 + 3 * t, 9 + 3 * t));
      for (int i = 0; i < 9; i++) {
        expected[(3 * t + i / 3) * 6 + 3 * t + i % 3] = block[i] / 2;
      }
    }
    assertThat(Fixtures.error(sum, expected)).isLessThan(1e-14);
    for (double value : gradient(Fisher.monteCarlo(1), new double[16], 1, 0, 2, 4, 2)) {
      assertThat(Math.abs(value)).isCloseTo(0.25, within(1e-15)); // (p - onehot) / sqrt(4)
    }
    OutputLoss mean = OutputLoss.GAUSSIAN;
    assertThat(mean.curvature(HostTensor.of(z, shape), z, z))
        .isCloseTo(
            OutputLoss.GAUSSIAN.ofSum().curvature(HostTensor.of(z, shape), z, z) / 6,
            within(1e-14));
  }

  @Test
  void whatIsDrawnIsAFunctionOfSeedAndStep() {
    double[] z = new double[192];
    for (Fisher fisher : List.of(Fisher.monteCarlo(5), Fisher.curvaturePropagation(5))) {
      double[] first = gradient(fisher, z, 0, 0, 64, 3);
      Fisher other = new Fisher(fisher.estimator(), fisher.loss(), 6);
      assertThat(gradient(fisher, z, 0, 0, 64, 3)).isEqualTo(first);
      assertThat(gradient(fisher, z, 1, 0, 64, 3)).isNotEqualTo(first);
      assertThat(gradient(other, z, 0, 0, 64, 3)).isNotEqualTo(first);
      assertThat(gradient(other, z, 0, 0, 64, 3)).isNotEqualTo(gradient(fisher, z, 1, 0, 64, 3));
    }
  }

  @Test
  void impossibleLabelsAreNotDrawn() {
    double[] z = new double[800];
    for (int i = 1; i < z.length; i += 2) {
      z[i] = -1e4;
    }
    double[] g = gradient(Fisher.monteCarlo(1), z, 1, 0, 200, 4);
    for (int i = 0; i < g.length; i++) {
      assertThat(Math.abs(g[i])).isEqualTo(i % 2 == 1 ? 0 : 0.5);
    }
  }

  @Test
  void badInputIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> gradient(Fisher.exact(), Z, 0, 0, OUTPUTS))
        .withMessageContaining("the outputs have shape [3]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OutputLoss.gaussian(0))
        .withMessage("variance must be positive but is 0.0");
    assertThat(Fisher.EMPIRICAL.passes(Shape.of(2, 3))).isZero();
  }
}
