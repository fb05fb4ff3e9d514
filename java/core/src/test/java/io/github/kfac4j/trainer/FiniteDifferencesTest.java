package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FiniteDifferencesTest {
  private static final int N = 5;
  private static final int IN = 3;
  private static final int OUT = 4;
  private final double[] x = Fixtures.gaussian(new Random(1), N * IN);

  private static double[][] logits(double[] x, HostTensor w) {
    double[] wt = Literal.transpose(w.toArray(), OUT, IN);
    double[][] rows = new double[N][];
    for (int n = 0; n < N; n++) {
      rows[n] = new double[OUT];
      for (int o = 0; o < OUT; o++) {
        for (int i = 0; i < IN; i++) {
          rows[n][o] += Math.pow(x[n * IN + i], 2) * Math.tanh(wt[i * OUT + o]);
        }
      }
    }
    return rows;
  }

  private HostTensor outputs(HostTensor w) {
    double[] flat = new double[N * OUT];
    double[][] rows = logits(x, w);
    for (int n = 0; n < N; n++) {
      System.arraycopy(rows[n], 0, flat, n * OUT, OUT);
    }
    return HostTensor.of(flat, N, OUT);
  }

  /** {@code J d} of the functions above, by hand. */
  private double[] product(HostTensor w, HostTensor d) {
    double[] product = new double[N * OUT];
    double[] weights = w.toArray();
    double[] direction = d.toArray();
    for (int k = 0; k < product.length; k++) {
      int o = k % OUT;
      for (int i = 0; i < IN; i++) {
        double slope = 1 - Math.pow(Math.tanh(weights[o * IN + i]), 2);
        product[k] += Math.pow(x[k / OUT * IN + i], 2) * slope * direction[o * IN + i];
      }
    }
    return product;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void differencesGiveTheProductsAndLeaveTheWeightsAlone(boolean fp64) {
    HostTensor w = tensor(fp64, 2);
    HostTensor d = tensor(fp64, 3);
    HostTensor e = tensor(fp64, 4);
    double[] before = w.toArray();
    FiniteDifferences batch =
        new FiniteDifferences(Map.of("w", w), () -> outputs(w), () -> 1, OutputLoss.SOFTMAX);
    double[][] curvature =
        batch.curvature(List.of(Map.of("w", d), Map.of("w", e), Map.of("w", zeros())));
    double[][] products = {product(w, d), product(w, e), new double[N * OUT]};
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        double expected = OutputLoss.SOFTMAX.curvature(outputs(w), products[i], products[j]);
        assertThat(curvature[i][j])
            .isCloseTo(expected, within((fp64 ? 1e-7 : 1e-3) * Math.abs(curvature[0][0])));
      }
    }
    assertThat(w.toArray()).containsExactly(before);
  }

  private static HostTensor zeros() {
    return HostTensor.of(new double[OUT * IN], OUT, IN);
  }

  private static HostTensor tensor(boolean fp64, long seed) {
    double[] values = Fixtures.gaussian(new Random(seed), OUT * IN);
    if (fp64) {
      return HostTensor.of(values, OUT, IN);
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return HostTensor.of(floats, OUT, IN);
  }
}
