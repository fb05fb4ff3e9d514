package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.approximation.DoublyFactored;
import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.approximation.RankOne;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The block of three factors, formed as one matrix. */
class DoublyFactoredTest {
  private static final int OUT = 3;
  private static final KfacOptions DOUBLY =
      OPTIONS.withApproximation(Approximation.DOUBLY_FACTORED);
  private final Random random = new Random(10);

  /** {@code psi x phi} of each pair, flattened in the layer's order. */
  private static double[] maps(FlattenedDense layer, double[][] psi, double[][] phi) {
    int p = layer.positions();
    int c = layer.channels();
    double[] maps = new double[psi.length * p * c];
    for (int n = 0; n < psi.length; n++) {
      for (int i = 0; i < p; i++) {
        for (int j = 0; j < c; j++) {
          int at = layer.channelsLast() ? i * c + j : j * p + i;
          maps[n * p * c + at] = psi[n][i] * phi[n][j];
        }
      }
    }
    return maps;
  }

  private double[][] rows(int count, int width) {
    double[][] rows = new double[count][];
    Arrays.setAll(rows, n -> gaussian(random, width));
    return rows;
  }

  /** Every psi with every phi and every direction of g, so that the three are independent. */
  @ParameterizedTest
  @CsvSource({"4, 2, false", "2, 4, true", "3, 3, true", "1, 4, false", "4, 1, true"})
  void itIsExactForIndependentPartsOfRankOne(int channels, int positions, boolean last) {
    FlattenedDense layer = new FlattenedDense(channels, positions, OUT, false, last);
    int size = layer.inFeatures();
    double[][] psis = rows(5, positions);
    double[][] phis = rows(6, channels);
    for (int i = 0; i < 5; i++) { // of one length each, so that the even split is theirs
      normalise(psis[i]);
    }
    for (int j = 0; j < 6; j++) {
      normalise(phis[j]);
    }
    double[][] gs = rows(4, OUT);
    int n = 5 * 6 * 4;
    double[][] psi = new double[n][];
    double[][] phi = new double[n][];
    double[] g = new double[n * OUT];
    for (int e = 0; e < n; e++) {
      psi[e] = psis[e / 24];
      phi[e] = phis[e / 4 % 6];
      System.arraycopy(gs[e % 4], 0, g, e * OUT, OUT);
    }
    double[] x = maps(layer, psi, phi);
    double[][] gradients = new double[n][OUT * size];
    for (int e = 0; e < n; e++) {
      for (int i = 0; i < OUT * size; i++) {
        gradients[e][i] = g[e * OUT + i / size] * x[e * size + i % size];
      }
    }
    double[] fisher = Literal.secondMoment(gradients);
    for (int i = 0; i < fisher.length; i++) {
      fisher[i] /= n;
    }
    try (Kfac kfac = Networks.kfac(layer, DOUBLY.withDamping(1e-12))) {
      kfac.observe(
          List.of(Networks.observation(HostTensor.of(x, n, size), HostTensor.of(g, n, OUT))));
      assertThat(Fixtures.error(block(kfac, layer), fisher)).isLessThan(1e-10);
    }
  }

  private static void normalise(double[] x) {
    double norm = Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
    Arrays.setAll(x, i -> x[i] / norm);
  }

  private static double[] factor(Kfac kfac, StateKey key) {
    LayerState state = kfac.state().layers().get("layer");
    double debias = Factors.debias(state);
    return Arrays.stream(state.stack(key).toArray()).map(v -> v * debias).toArray();
  }

  /** The Kronecker product of the three factors, in the order of the weight. */
  private static double[] block(Kfac kfac, FlattenedDense layer) {
    return block(
        layer,
        factor(kfac, DoublyFactored.PSI),
        factor(kfac, DoublyFactored.PHI),
        factor(kfac, Factors.G));
  }

  private static double[] block(FlattenedDense layer, double[] psi, double[] phi, double[] g) {
    int p = layer.positions();
    int c = layer.channels();
    double[] a =
        layer.channelsLast()
            ? Literal.kronecker(psi, p, phi, c)
            : Literal.kronecker(phi, c, psi, p);
    return Literal.kronecker(g, layer.outFeatures(), a, p * c);
  }

  @ParameterizedTest
  @CsvSource({"4, 2, false, true", "2, 5, true, true", "3, 3, false, false"})
  void threeFactorsAreDampedAndInverted(int channels, int positions, boolean last, boolean bias) {
    FlattenedDense layer = new FlattenedDense(channels, positions, OUT, bias, last);
    int size = layer.inFeatures();
    int n = 9;
    double lambda = 0.03;
    try (Kfac kfac = Networks.kfac(layer, DOUBLY.withDamping(lambda))) {
      int[] shape = last ? new int[] {n, positions, channels} : new int[] {n, channels, positions};
      kfac.observe(
          List.of(
              Networks.observation(
                  HostTensor.of(gaussian(random, n * size), shape),
                  HostTensor.of(gaussian(random, n * OUT), n, OUT))));
      LayerReport report = kfac.refresh().get(0);
      double[] psi = factor(kfac, DoublyFactored.PSI);
      double[] phi = factor(kfac, DoublyFactored.PHI);
      double[] g = factor(kfac, Factors.G);
      double[] mean = {mean(psi, positions), mean(phi, channels), mean(g, OUT)};
      double[] damping = new double[3];
      for (int i = 0; i < 3; i++) {
        double others = mean[0] * mean[1] * mean[2] / mean[i];
        damping[i] = Math.cbrt(lambda) * Math.cbrt(mean[i] * mean[i] / others);
        assertThat(report.perGroup().get(0).factors().get(i).damping())
            .isCloseTo(damping[i], offset(1e-12));
      }
      double[] damped =
          block(
              layer,
              Fixtures.damped(psi, positions, 1, damping[0]),
              Fixtures.damped(phi, channels, 1, damping[1]),
              Fixtures.damped(g, OUT, 1, damping[2]));
      double[] dw = gaussian(random, OUT * size);
      double[] db = gaussian(random, OUT);
      double[] w = dw.clone();
      double[] b = db.clone();
      HostTensor biasTensor = bias ? HostTensor.of(b, OUT) : null;
      StepReport step =
          kfac.precondition(
              List.of(new LayerGradient("layer", HostTensor.of(w, OUT, size), biasTensor)));
      assertThat(Fixtures.error(w, Networks.exact(damped, 0, dw))).isLessThan(1e-10);
      double inner = 0;
      for (int i = 0; i < w.length; i++) {
        inner += w[i] * dw[i];
      }
      if (bias) {
        assertThat(Fixtures.error(b, Networks.exact(g, lambda, db))).isLessThan(1e-10);
        for (int i = 0; i < OUT; i++) {
          inner += b[i] * db[i];
        }
      }
      assertThat(step.innerProduct()).isCloseTo(inner, offset(1e-9 * Math.abs(inner)));
    }
  }

  private static double mean(double[] m, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += m[i * (n + 1)] / n;
    }
    return sum;
  }

  @Test
  void aFeatureMapIsReplacedByItsNearestOfRankOne() {
    FlattenedDense layer = new FlattenedDense(5, 3, 1, false, true);
    double[] x = gaussian(random, 4 * 15);
    Vectors use = layer.use(HostTensor.of(x, 4, 3, 5), HostTensor.of(new double[4], 4, 1));
    var split = new RankOne(new JavaBackend(), layer).split(use);
    double[] psi = ((HostTensor) split.psi().data()).toArray();
    double[] phi = ((HostTensor) split.phi().data()).toArray();
    for (int n = 0; n < 4; n++) {
      double psiNorm = 0;
      double phiNorm = 0;
      // stationary: X phi = |phi|^2 psi and X' psi = |psi|^2 phi, with equal lengths
      for (int i = 0; i < 3; i++) {
        psiNorm += psi[n * 3 + i] * psi[n * 3 + i];
      }
      for (int j = 0; j < 5; j++) {
        phiNorm += phi[n * 5 + j] * phi[n * 5 + j];
      }
      assertThat(psiNorm).isCloseTo(phiNorm, offset(1e-12));
      for (int i = 0; i < 3; i++) {
        double sum = 0;
        for (int j = 0; j < 5; j++) {
          sum += x[(n * 3 + i) * 5 + j] * phi[n * 5 + j];
        }
        assertThat(sum).isCloseTo(phiNorm * psi[n * 3 + i], offset(1e-10));
      }
      double[] gram = new double[9];
      for (int i = 0; i < 9; i++) {
        for (int j = 0; j < 5; j++) {
          gram[i] += x[(n * 3 + i / 3) * 5 + j] * x[(n * 3 + i % 3) * 5 + j];
        }
      }
      // the largest singular value: no vector is stretched more
      double[] v = {1, 1, 1};
      for (int k = 0; k < 2000; k++) {
        v = Literal.multiply(gram, v, 3, 3, 1);
        normalise(v);
      }
      double largest = Math.sqrt(Math.sqrt(norm(Literal.multiply(gram, v, 3, 3, 1))));
      assertThat(psiNorm).isCloseTo(largest, offset(1e-9));
    }
  }

  private static double norm(double[] x) {
    return Arrays.stream(x).map(v -> v * v).sum();
  }

  @Test
  void otherApproximationsTakeItForADenseLayer() {
    double[] x = gaussian(random, 6 * 8);
    double[] g = gaussian(random, 6 * OUT);
    double[] dw = gaussian(random, OUT * 9);
    Observation flat = Networks.observation(HostTensor.of(x, 6, 8), HostTensor.of(g, 6, OUT));
    Observation map = Networks.observation(HostTensor.of(x, 6, 2, 2, 2), HostTensor.of(g, 6, OUT));
    for (Approximation other :
        List.of(Approximation.KRONECKER, Approximation.EKFAC, Approximation.DIAGONAL)) {
      KfacOptions options = OPTIONS.withApproximation(other);
      try (Kfac dense = Networks.kfac(new Dense(8, OUT, true), options);
          Kfac same = Networks.kfac(new FlattenedDense(2, 4, OUT, true, false), options)) {
        double[] expected = precondition(dense, flat, dw);
        assertThat(precondition(same, map, dw)).containsExactly(expected);
      }
    }
  }

  private static double[] precondition(Kfac kfac, Observation observation, double[] dw) {
    kfac.observe(List.of(observation));
    return Networks.precondition(kfac, observation, dw);
  }

  @Test
  void zeroInputsLeaveOnlyDamping() {
    FlattenedDense layer = new FlattenedDense(2, 2, 2, false, false);
    try (Kfac kfac = Networks.kfac(layer, DOUBLY.withDamping(8))) {
      Observation zeros =
          Networks.observation(
              HostTensor.of(new double[12], 3, 4), HostTensor.of(new double[6], 3, 2));
      double[] u = Networks.precondition(kfac, zeros, new double[] {8, 16, 24, 32, 40, 48, 56, 64});
      assertThat(Fixtures.error(u, new double[] {1, 2, 3, 4, 5, 6, 7, 8})).isLessThan(1e-12);
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> Networks.kfac(new Dense(8, 2, true), DOUBLY))
        .hasMessageContaining("layer 'layer'")
        .hasMessageContaining("this is a Dense");
    assertThatThrownBy(() -> DOUBLY.withDampingMode(DampingMode.EXACT))
        .hasMessageContaining("DOUBLY_FACTORED")
        .hasMessageContaining("EXACT");
    assertThatThrownBy(() -> DOUBLY.withConvention(Convention.KFAC_PYTORCH))
        .hasMessageContaining("kfac-pytorch");
    FlattenedDense layer = new FlattenedDense(2, 4, 2, true, false);
    HostTensor seven = HostTensor.of(new double[7], 1, 7);
    assertThatThrownBy(() -> layer.use(seven, HostTensor.of(new double[2], 1, 2)))
        .hasMessageContaining("[1, 7]")
        .hasMessageContaining("8 elements");
    assertThatThrownBy(() -> new FlattenedDense(0, 4, 2, true, false))
        .hasMessageContaining("0, 4 and 2");
  }
}
