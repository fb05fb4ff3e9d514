package io.github.kfac4j.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The gradient by the definition of a transposed convolution against the sum of outer products. */
class ConvTranspose2dTest {
  private static final int N = 2;
  private static final int H = 3;
  private static final int W = 4;
  private final Random random = new Random(4);

  @ParameterizedTest
  @CsvSource({
    // kernel, stride, padding, dilation, output padding: first for rows, then for columns
    "3, 2, 2, 1, 1, 0, 1, 1, 1, 0",
    "3, 3, 1, 1, 0, 2, 1, 1, 0, 0",
    "2, 3, 2, 3, 0, 1, 1, 1, 0, 2",
    "3, 2, 1, 2, 1, 1, 2, 3, 1, 2",
    "1, 1, 2, 1, 0, 0, 1, 1, 1, 0",
    "2, 1, 3, 1, 2, 1, 1, 1, 0, 0", // crops more than the kernel reaches
  })
  void theGradientIsTheSumOfOuterProducts(
      int kh, int kw, int sh, int sw, int ph, int pw, int dh, int dw, int oh, int ow) {
    Window window = new Window(kh, kw, sh, sw, ph, pw, dh, dw);
    int outH = (H - 1) * sh - 2 * ph + dh * (kh - 1) + 1 + oh;
    int outW = (W - 1) * sw - 2 * pw + dw * (kw - 1) + 1 + ow;
    ConvTranspose2d layer = new ConvTranspose2d(4, 6, window, 2, true);
    double[] x = Fixtures.gaussian(random, N * 4 * H * W);
    double[] g = Fixtures.gaussian(random, N * 6 * outH * outW);
    Vectors use = layer.use(HostTensor.of(x, N, 4, H, W), HostTensor.of(g, N, 6, outH, outW));

    double[] weight = new double[4 * 3 * kh * kw];
    double[] bias = new double[6];
    for (int n = 0; n < N; n++) {
      for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 2; i++) {
          for (int o = 0; o < 3; o++) {
            for (int a = 0; a < kh; a++) {
              for (int b = 0; b < kw; b++) {
                int at = (((k * 2 + i) * 3 + o) * kh + a) * kw + b;
                weight[at] +=
                    correlation(
                        x,
                        (n * 4 + k * 2 + i) * H * W,
                        g,
                        n * 6 + k * 3 + o,
                        window,
                        a,
                        b,
                        outH,
                        outW);
              }
            }
          }
        }
      }
      for (int i = 0; i < 6 * outH * outW; i++) {
        bias[i / (outH * outW)] += g[n * 6 * outH * outW + i];
      }
    }

    Gradient matrix = layer.matrix(HostTensor.of(weight, 4, 3, kh, kw), HostTensor.of(bias, 6));
    double[] flat = ((HostTensor) matrix.weight()).toArray();
    int cols = layer.inputDim();
    for (int k = 0; k < 2; k++) {
      double[][] as = Literal.rows(((HostTensor) use.a().data()).toArray(), use.a(), k);
      double[][] gs = Literal.rows(((HostTensor) use.g().data()).toArray(), use.g(), k);
      double[] sum = new double[3 * cols];
      double[] expected = new double[3 * cols];
      for (int r = 0; r < as.length; r++) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += gs[r][i / cols] * as[r][i % cols];
        }
      }
      for (int o = 0; o < 3; o++) {
        System.arraycopy(flat, (k * 3 + o) * (cols - 1), expected, o * cols, cols - 1);
        expected[o * cols + cols - 1] = bias[k * 3 + o];
      }
      assertThat(Fixtures.error(sum, expected)).isLessThan(1e-13);
    }

    double[] back = new double[weight.length];
    layer.store(matrix, HostTensor.of(back, 4, 3, kh, kw), null);
    assertThat(back).containsExactly(weight);
  }

  /** The sum over pixels of x(y, x) g(y s - p + k d, ...). */
  private static double correlation(
      double[] x, int plane, double[] g, int channel, Window w, int a, int b, int outH, int outW) {
    double sum = 0;
    for (int i = 0; i < H; i++) {
      for (int j = 0; j < W; j++) {
        int row = i * w.strideHeight() - w.paddingHeight() + a * w.dilationHeight();
        int col = j * w.strideWidth() - w.paddingWidth() + b * w.dilationWidth();
        if (row >= 0 && row < outH && col >= 0 && col < outW) {
          sum += x[plane + i * W + j] * g[(channel * outH + row) * outW + col];
        }
      }
    }
    return sum;
  }

  @Test
  void anImpossibleOutputIsRefused() {
    ConvTranspose2d layer = new ConvTranspose2d(1, 1, Window.of(2, 2).withStride(2, 2), 1, false);
    HostTensor x = HostTensor.of(new double[4], 1, 1, 2, 2);
    assertThatThrownBy(() -> layer.use(x, HostTensor.of(new double[24], 1, 1, 6, 4)))
        .hasMessageContaining("4 to 5 rows")
        .hasMessageContaining("[1, 1, 6, 4]");
    assertThatThrownBy(() -> layer.use(HostTensor.of(new double[4], 1, 4), x))
        .hasMessageContaining("[N, 1, H, W]");
  }
}
