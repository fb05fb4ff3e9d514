package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * On a linear network with a Gaussian likelihood the output gradients do not depend on the inputs,
 * so the Kronecker product is the Fisher itself. Here the Fisher is formed as a full matrix from
 * per-example gradients, every output direction taken once for each example.
 */
class ExactFisherTest {
  private static final double LAMBDA = 0.03;
  private final Random random = new Random(1);

  /** The mean of vec(g a') vec(g a')' over all pairs, row-major vec, a with its bias coordinate. */
  private static double[] fisher(double[][] a, double[][] g) {
    int rows = g[0].length;
    int cols = a[0].length;
    double[][] gradients = new double[a.length][rows * cols];
    for (int n = 0; n < a.length; n++) {
      for (int i = 0; i < rows * cols; i++) {
        gradients[n][i] = g[n][i / cols] * a[n][i % cols];
      }
    }
    double[] sum = Literal.secondMoment(gradients);
    for (int i = 0; i < sum.length; i++) {
      sum[i] /= a.length;
    }
    return sum;
  }

  private static double[][] withBias(double[][] x) {
    double[][] y = new double[x.length][];
    for (int n = 0; n < x.length; n++) {
      y[n] = Arrays.copyOf(x[n], x[n].length + 1);
      y[n][x[n].length] = 1;
    }
    return y;
  }

  private static double[] flat(double[][] x) {
    return Arrays.stream(x).flatMapToDouble(Arrays::stream).toArray();
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = "DOUBLY_FACTORED")
  void bothLayersOfALinearNetworkHaveTheExactFisher(Approximation approximation) {
    int examples = 9;
    int in = 4;
    int hidden = 3;
    int out = 2;
    double[] w1 = gaussian(random, hidden * in);
    double[] w2 = gaussian(random, out * hidden);
    double[][] x = new double[examples * out][];
    double[][] h = new double[examples * out][];
    double[][] g2 = new double[examples * out][out];
    double[][] g1 = new double[examples * out][];
    for (int n = 0; n < examples; n++) {
      double[] one = gaussian(random, in);
      for (int k = 0; k < out; k++) {
        int row = n * out + k;
        x[row] = one;
        h[row] = Literal.multiply(w1, one, hidden, in, 1);
        g2[row][k] = Math.sqrt(out);
        g1[row] = Literal.multiply(Literal.transpose(w2, out, hidden), g2[row], hidden, out, 1);
      }
    }
    Map<String, Layer> layers =
        Map.of("first", new Dense(in, hidden, true), "second", new Dense(hidden, out, true));
    KfacOptions options =
        OPTIONS
            .withDamping(LAMBDA)
            .withDampingMode(DampingMode.EXACT)
            .withApproximation(approximation);
    try (Kfac kfac = new Kfac(new JavaBackend(), layers, options)) {
      List<Observation> batch =
          List.of(
              Observation.ofSumLoss(
                  "first",
                  HostTensor.of(flat(x), x.length, in),
                  HostTensor.of(flat(g1), x.length, hidden)),
              Observation.ofSumLoss(
                  "second",
                  HostTensor.of(flat(h), x.length, hidden),
                  HostTensor.of(flat(g2), x.length, out)));
      kfac.observe(batch);
      kfac.refresh();
      // the second pass measures the moments in the bases that now exist
      kfac.observe(batch);
      check(kfac, "first", fisher(withBias(x), g1), approximation);
      check(kfac, "second", fisher(withBias(h), g2), approximation);
    }
  }

  private void check(Kfac kfac, String layer, double[] fisher, Approximation approximation) {
    int size = (int) Math.sqrt(fisher.length);
    double[] dw = gaussian(random, size);
    double[] block = fisher.clone();
    for (int i = 0; i < block.length; i++) {
      if (approximation == Approximation.DIAGONAL && i % (size + 1) != 0) {
        block[i] = 0;
      }
    }
    double[] u = Networks.step(kfac, layer, dw);
    assertThat(Fixtures.error(u, Networks.exact(block, LAMBDA, dw))).isLessThan(1e-6);
    if (approximation == Approximation.KRONECKER) {
      double[] a = kfac.state().inputFactor(layer);
      double[] g = kfac.state().outputFactor(layer);
      int cols = (int) Math.sqrt(a.length);
      int rows = (int) Math.sqrt(g.length);
      assertThat(Fixtures.error(Literal.kronecker(g, rows, a, cols), fisher)).isLessThan(1e-12);
    }
  }

  @ParameterizedTest
  @EnumSource(ImageLayout.class)
  void aConvolutionOfOnePositionHasTheExactFisher(ImageLayout layout) {
    int examples = 12;
    int out = 3;
    Conv2d layer = new Conv2d(2, out, Window.of(2, 3), 1, true, layout);
    double[][] patches = new double[examples * out][];
    double[][] g = new double[examples * out][out];
    double[] images = new double[examples * out * 12];
    for (int n = 0; n < examples; n++) {
      double[] patch = gaussian(random, 12);
      for (int k = 0; k < out; k++) {
        int row = n * out + k;
        patches[row] = patch;
        g[row][k] = Math.sqrt(out);
        for (int i = 0; i < 12; i++) {
          int at = layout == ImageLayout.NCHW ? i : i % 6 * 2 + i / 6;
          images[row * 12 + at] = patch[i];
        }
      }
    }
    KfacOptions options = OPTIONS.withDamping(LAMBDA).withDampingMode(DampingMode.EXACT);
    int[] inShape = layout == ImageLayout.NCHW ? new int[] {36, 2, 2, 3} : new int[] {36, 2, 3, 2};
    int[] outShape =
        layout == ImageLayout.NCHW ? new int[] {36, out, 1, 1} : new int[] {36, 1, 1, out};
    try (Kfac kfac = Networks.kfac(layer, options)) {
      double[] dw = gaussian(random, out * 13);
      double[] u =
          Networks.precondition(
              kfac,
              Networks.observation(
                  HostTensor.of(images, inShape), HostTensor.of(flat(g), outShape)),
              dw);
      double[] fisher = fisher(withBias(patches), g);
      assertThat(Fixtures.error(u, Networks.exact(fisher, LAMBDA, dw))).isLessThan(1e-6);
    }
  }

  @ParameterizedTest
  @EnumSource(DampingMode.class)
  void aOneByOneConvolutionOfOnePositionIsADenseLayer(DampingMode mode) {
    double[] x = gaussian(random, 7 * 5);
    double[] g = gaussian(random, 7 * 3);
    double[] dw = gaussian(random, 3 * 6);
    for (Convention convention : Convention.values()) {
      KfacOptions options = OPTIONS.withConvention(convention).withDampingMode(mode);
      try (Kfac dense = Networks.kfac(new Dense(5, 3, true), options);
          Kfac conv = Networks.kfac(Conv2d.of(5, 3, Window.of(1, 1)), options)) {
        double[] u =
            Networks.precondition(
                dense, Networks.observation(HostTensor.of(x, 7, 5), HostTensor.of(g, 7, 3)), dw);
        double[] v =
            Networks.precondition(
                conv,
                Networks.observation(HostTensor.of(x, 7, 5, 1, 1), HostTensor.of(g, 7, 3, 1, 1)),
                dw);
        assertThat(v).containsExactly(u);
      }
    }
  }

  @Test
  void aDenseLayerAtSeveralPositionsIsAOneByOneConvolution() {
    double[] x = gaussian(random, 4 * 6 * 5);
    double[] g = gaussian(random, 4 * 6 * 3);
    double[] dw = gaussian(random, 3 * 6);
    Conv2d nhwc = new Conv2d(5, 3, Window.of(1, 1), 1, true, ImageLayout.NHWC);
    try (Kfac dense = Networks.kfac(new Dense(5, 3, true), OPTIONS);
        Kfac conv = Networks.kfac(nhwc, OPTIONS)) {
      double[] u =
          Networks.precondition(
              dense,
              Networks.observation(HostTensor.of(x, 4, 6, 5), HostTensor.of(g, 4, 6, 3)),
              dw);
      double[] v =
          Networks.precondition(
              conv,
              Networks.observation(HostTensor.of(x, 4, 2, 3, 5), HostTensor.of(g, 4, 2, 3, 3)),
              dw);
      assertThat(v).containsExactly(u);
    }
  }
}
