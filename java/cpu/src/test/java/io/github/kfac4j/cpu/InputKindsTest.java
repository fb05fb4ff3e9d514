package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever memory a tensor lies in, the result is that of direct fp32 memory. */
class InputKindsTest {
  private final CpuBackend backend = new CpuBackend(2);
  private final Random random = new Random(7);

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void rows() {
    moments(6 * 4 * 30, x -> new RowSamples(x, 6, 4, 2, 15, true));
  }

  @Test
  void channels() {
    moments(5 * 12 * 40, x -> new ChannelSamples(x, 5, 40, 2, 6));
  }

  @Test
  void patchesOfBothLayouts() {
    Window window = Window.of(3, 2).withStride(2, 1).withPadding(1, 0);
    for (ImageLayout layout : ImageLayout.values()) {
      moments(4 * 6 * 9 * 8, x -> new PatchSamples(x, 4, 6, 9, 8, layout, window, 2, true));
    }
  }

  private void moments(int size, Function<HostTensor, Samples> samples) {
    double[] values = gaussian(random, size);
    double[] expected = moment(samples.apply(Data.direct(values)));
    for (HostTensor kind : Data.converted(values)) {
      // views in place may be summed in other pieces than gathered panels: both are the fp64 sum,
      // rounded once
      double[] actual = moment(samples.apply(kind));
      assertThat(error(actual, expected)).isLessThan(2 * Fixtures.U);
    }
  }

  private double[] moment(Samples samples) {
    try (MatrixStack target = backend.allocate(samples.groups(), samples.dim(), samples.dim())) {
      backend.accumulate(List.of(new AccumulateRequest(target, 0, 1, samples)));
      return target.toArray();
    }
  }

  @Test
  void gradientsAndResults() {
    int rows = 20;
    int cols = 31;
    double[] weight = gaussian(random, rows * (cols - 1));
    double[] bias = gaussian(random, rows);
    try (MatrixStack g = backend.allocate(1, rows, rows);
        MatrixStack a = backend.allocate(1, cols, cols)) {
      g.set(gaussian(random, rows * rows));
      a.set(gaussian(random, cols * cols));
      Gradient direct = new Gradient(Data.direct(weight), Data.direct(bias));
      double inner = backend.precondition(step(g, a, direct))[0];
      List<HostTensor> weights = Data.converted(weight);
      List<HostTensor> biases = Data.converted(bias);
      for (int i = 0; i < weights.size(); i++) {
        Gradient other = new Gradient(weights.get(i), biases.get(i));
        assertThat(backend.precondition(step(g, a, other))).containsExactly(inner);
        assertThat(weights.get(i).toArray())
            .containsExactly(((HostTensor) direct.weight()).toArray());
        assertThat(biases.get(i).toArray()).containsExactly(((HostTensor) direct.bias()).toArray());
      }
    }
  }

  private static List<PreconditionRequest> step(MatrixStack g, MatrixStack a, Gradient gradient) {
    return List.of(new PreconditionRequest(g, a, 1, gradient, gradient));
  }

  @Test
  void scanAndScale() {
    double[] values = gaussian(random, 300_000);
    values[290_000] = Double.NaN;
    for (HostTensor kind : Data.converted(values)) {
      assertThat(backend.firstNonFinite(List.of(kind))).containsExactly(290_000);
      backend.scale(List.of(kind), 2);
      assertThat(kind.toArray()[299_999]).isEqualTo(2 * values[299_999]);
    }
  }

  @Test
  void finiteValuesWhoseSumOverflowsAreFinite() {
    double[] values = new double[1000];
    Arrays.fill(values, (float) 1e38);
    assertThat(backend.firstNonFinite(List.of(Data.direct(values)))).containsExactly(-1);
  }
}
