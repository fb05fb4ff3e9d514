package io.github.kfac4j.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Conv1dTest {
  private final Random random = new Random(5);

  @Test
  void itIsAConvolutionOfImagesOfOneRow() {
    Window window = Conv1d.window(3, 2, 1, 2);
    Conv1d line = new Conv1d(4, 6, window, 2, true);
    Conv2d image = new Conv2d(4, 6, window, 2, true, ImageLayout.NCHW);
    double[] x = Fixtures.gaussian(random, 2 * 4 * 9);
    double[] g = Fixtures.gaussian(random, 2 * 6 * 4);
    Vectors one = line.use(HostTensor.of(x, 2, 4, 9), HostTensor.of(g, 2, 6, 4));
    Vectors two = image.use(HostTensor.of(x, 2, 4, 1, 9), HostTensor.of(g, 2, 6, 1, 4));
    for (int k = 0; k < 2; k++) {
      assertThat(rows(one.a(), x, k)).isDeepEqualTo(rows(two.a(), x, k));
      assertThat(rows(one.g(), g, k)).isDeepEqualTo(rows(two.g(), g, k));
    }
    assertThat(line.weightShape().toString()).isEqualTo("[6, 2, 3]");
    assertThat(line.inputDim()).isEqualTo(image.inputDim());
  }

  private static double[][] rows(Samples samples, double[] data, int group) {
    return Literal.rows(data, samples, group);
  }

  @Test
  void badShapesAreRefused() {
    assertThatThrownBy(() -> new Conv1d(1, 1, Window.of(2, 2), 1, true))
        .hasMessageContaining("height 1");
    Conv1d layer = new Conv1d(1, 1, Conv1d.window(3, 1, 0, 1), 1, true);
    HostTensor two = HostTensor.of(new double[2], 1, 1, 2);
    assertThatThrownBy(() -> layer.use(two, two)).hasMessageContaining("too small");
    assertThatThrownBy(() -> layer.use(HostTensor.of(new double[2], 1, 2), two))
        .hasMessageContaining("[N, 1, L]");
  }
}
