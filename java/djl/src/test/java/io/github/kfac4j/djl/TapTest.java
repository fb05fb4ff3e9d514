package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a tap captures determines the engine's own gradients. */
class TapTest {
  /** Runs f(block(x)) with a random linear f and returns what the tap captured. */
  private static Observation capture(NDManager manager, Block block, NDArray x) {
    BlockTree tree = new BlockTree(block);
    Block tapped = tree.insertTaps();
    tapped.initialize(manager, DataType.FLOAT32, x.getShape());
    Tap tap = tree.taps().get(0);
    tap.describeAs(tap.describe(tap.trainsBias()));
    ParameterStore store = new ParameterStore(manager, false);
    Pass pass = new Pass(Placement.HOST, KfacOptions.DEFAULT, store, x, true);
    tap.record(pass);
    try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      NDArray s = tapped.forward(store, new NDList(x), true).singletonOrThrow();
      NDArray plain = block.forward(store, new NDList(x), false).singletonOrThrow();
      assertThat(s.toFloatArray()).isEqualTo(plain.toFloatArray());
      collector.backward(s.mul(manager.randomNormal(s.getShape())).sum());
    }
    return pass.captures().get(0).observation(pass, 1);
  }

  @ParameterizedTest
  @CsvSource({"true, 5", "false, 5", "true, 5x3", "false, 2x4x3"})
  void denseGradientIsTheSumOfOuterProducts(boolean bias, String leading) {
    try (NDManager manager = NDManager.newBaseManager()) {
      Linear linear = Linear.builder().setUnits(4).optBias(bias).build();
      Shape shape = new Shape(extents(leading)).add(7);
      Observation seen = capture(manager, linear, manager.randomNormal(shape));

      double[] a = ((HostTensor) seen.input()).toArray();
      double[] ds = ((HostTensor) seen.outputGrad()).toArray();
      int rows = a.length / 7;
      double[] weight = new double[4 * 7];
      double[] sum = new double[4];
      for (int n = 0; n < rows; n++) {
        for (int o = 0; o < 4; o++) {
          sum[o] += ds[n * 4 + o];
          for (int i = 0; i < 7; i++) {
            weight[o * 7 + i] += ds[n * 4 + o] * a[n * 7 + i];
          }
        }
      }
      assertGradients(linear, weight, sum);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // kernel, stride, padding, dilation, groups, bias
    "3x3, 1x1, 0x0, 1x1, 1, true",
    "3x2, 2x1, 1x0, 1x1, 1, true",
    "2x3, 1x3, 2x1, 1x2, 1, false",
    "3x3, 2x2, 2x2, 2x1, 2, true",
    "1x1, 1x1, 0x0, 1x1, 1, true",
    "3x1, 1x2, 1x1, 2x2, 4, false",
  })
  void convolutionGradientIsTheSumOverPatches(
      String kernel, String stride, String padding, String dilation, int groups, boolean bias) {
    int in = 4;
    int out = 8;
    long[] k = extents(kernel);
    long[] s = extents(stride);
    long[] p = extents(padding);
    long[] d = extents(dilation);
    try (NDManager manager = NDManager.newBaseManager()) {
      Conv2d conv =
          Conv2d.builder()
              .setKernelShape(new Shape(k))
              .optStride(new Shape(s))
              .optPadding(new Shape(p))
              .optDilation(new Shape(d))
              .optGroups(groups)
              .optBias(bias)
              .setFilters(out)
              .build();
      Observation seen = capture(manager, conv, manager.randomNormal(new Shape(3, in, 9, 10)));

      double[] a = ((HostTensor) seen.input()).toArray();
      double[] ds = ((HostTensor) seen.outputGrad()).toArray();
      int height = seen.outputGrad().shape().get(2);
      int width = seen.outputGrad().shape().get(3);
      int perGroup = in / groups;
      double[] weight = new double[(int) (out * perGroup * k[0] * k[1])];
      double[] sum = new double[out];
      int at = 0;
      for (int o = 0; o < out; o++) {
        for (int c = 0; c < perGroup; c++) {
          int channel = o / (out / groups) * perGroup + c;
          for (int kh = 0; kh < k[0]; kh++) {
            for (int kw = 0; kw < k[1]; kw++, at++) {
              for (int n = 0; n < 3; n++) {
                for (int y = 0; y < height; y++) {
                  for (int x = 0; x < width; x++) {
                    long row = y * s[0] - p[0] + kh * d[0];
                    long col = x * s[1] - p[1] + kw * d[1];
                    if (row >= 0 && row < 9 && col >= 0 && col < 10) {
                      weight[at] +=
                          ds[((n * out + o) * height + y) * width + x]
                              * a[(int) (((n * in + channel) * 9 + row) * 10 + col)];
                    }
                  }
                }
              }
            }
          }
        }
        for (int n = 0; n < 3; n++) {
          for (int t = 0; t < height * width; t++) {
            sum[o] += ds[(n * out + o) * height * width + t];
          }
        }
      }
      assertGradients(conv, weight, sum);
    }
  }

  @Test
  void inputAndOutputGradientThatAreNotContiguousAreReadInOrder() {
    try (NDManager manager = NDManager.newBaseManager()) {
      Linear linear = Linear.builder().setUnits(2).build();
      NDArray x = manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(2, 3)).transpose();
      BlockTree tree = new BlockTree(linear);
      Block tapped = tree.insertTaps();
      tapped.initialize(manager, DataType.FLOAT32, x.getShape());
      Tap tap = tree.taps().get(0);
      tap.describeAs(tap.describe(tap.trainsBias()));
      ParameterStore store = new ParameterStore(manager, false);
      Pass pass = new Pass(Placement.HOST, KfacOptions.DEFAULT, store, x, true);
      tap.record(pass);
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray s = tapped.forward(store, new NDList(x), true).singletonOrThrow();
        // the gradient of a sum is one number, broadcast; transposed on the way
        collector.backward(
            s.transpose().sum(new int[] {1}).mul(manager.create(new float[] {1, 10})).sum());
      }
      Observation seen = pass.captures().get(0).observation(pass, 1);
      assertThat(((HostTensor) seen.input()).toArray()).containsExactly(1, 4, 2, 5, 3, 6);
      assertThat(((HostTensor) seen.outputGrad()).toArray()).containsExactly(1, 10, 1, 10, 1, 10);
    }
  }

  private static void assertGradients(Block block, double[] weight, double[] bias) {
    assertClose(Nets.gradient(block.getDirectParameters().get("weight")), weight);
    if (block.getDirectParameters().contains("bias")) {
      assertClose(Nets.gradient(block.getDirectParameters().get("bias")), bias);
    }
  }

  private static void assertClose(float[] actual, double[] expected) {
    double norm = 0;
    double error = 0;
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      norm += expected[i] * expected[i];
      error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    }
    assertThat(norm).isPositive();
    assertThat(Math.sqrt(error / norm)).isCloseTo(0, within(1e-5));
  }

  private static long[] extents(String text) {
    String[] parts = text.split("x");
    long[] extents = new long[parts.length];
    for (int i = 0; i < parts.length; i++) {
      extents[i] = Long.parseLong(parts[i]);
    }
    return extents;
  }
}
