package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.covariance;
import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Literal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Patches and second moments, against their definitions. */
abstract class MomentContract extends MatrixContract {
  /** Every stride, padding, dilation, grouping, layout and bias, none of them square. */
  static Stream<PatchSamples> convolutions() {
    List<PatchSamples> all = new ArrayList<>();
    for (int[] stride : new int[][] {{1, 1}, {2, 1}, {3, 2}}) {
      for (int[] padding : new int[][] {{0, 0}, {1, 2}, {2, 0}}) {
        for (int[] dilation : new int[][] {{1, 1}, {1, 2}, {3, 1}}) {
          for (int groups : new int[] {1, 2, 6}) {
            for (ImageLayout layout : ImageLayout.values()) {
              Window window =
                  Window.of(3, 2)
                      .withStride(stride[0], stride[1])
                      .withPadding(padding[0], padding[1])
                      .withDilation(dilation[0], dilation[1]);
              boolean bias = (groups + stride[0] + padding[0]) % 2 == 0;
              all.add(new PatchSamples(null, 3, 6, 9, 7, layout, window, groups, bias));
            }
          }
        }
      }
    }
    all.add(new PatchSamples(null, 2, 3, 2, 3, ImageLayout.NCHW, same(5), 1, true));
    all.add(new PatchSamples(null, 2, 13, 1, 1, ImageLayout.NCHW, same(1), 1, true));
    all.add(new PatchSamples(null, 4, 5, 12, 11, ImageLayout.NHWC, same(7), 1, false));
    all.add(new PatchSamples(null, 2, 8, 15, 16, ImageLayout.NCHW, same(3), 1, true));
    return all.stream();
  }

  static Window same(int kernel) {
    return Window.of(kernel, kernel).withPadding(kernel / 2, kernel / 2);
  }

  private PatchSamples with(PatchSamples s, double[] data) {
    HostTensor image = direct(data);
    return new PatchSamples(
        image,
        s.examples(),
        s.channels(),
        s.height(),
        s.width(),
        s.layout(),
        s.window(),
        s.groups(),
        s.bias());
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void patchesFollowTheDefinition(PatchSamples shape) {
    double[] data =
        gaussian(random, shape.examples() * shape.channels() * shape.height() * shape.width());
    PatchSamples samples = with(shape, data);
    int rows = (int) samples.rows();
    MatrixStack target = zeros(samples.groups(), rows, samples.dim());
    backend.patches(samples, target);
    double[] all = target.toArray();
    for (int k = 0; k < samples.groups(); k++) {
      double[][] expected = Literal.patches(data, samples, k);
      for (int r = 0; r < rows; r++) {
        int from = (k * rows + r) * samples.dim();
        assertThat(Arrays.copyOfRange(all, from, from + samples.dim()))
            .containsExactly(expected[r]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void patchMomentsFollowTheDefinition(PatchSamples shape) {
    double[] data =
        gaussian(random, shape.examples() * shape.channels() * shape.height() * shape.width());
    checkMoment(with(shape, data), data);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,1,false",
    "1,1,1,13,true",
    "64,1,1,207,true",
    "7,3,1,64,true",
    "5,4,3,2,false",
    "600,1,1,33,true"
  })
  void rowMomentsFollowTheDefinition(
      int examples, int positions, int groups, int width, boolean bias) {
    double[] data = gaussian(random, examples * positions * groups * width);
    checkMoment(new RowSamples(direct(data), examples, positions, groups, width, bias), data);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "3,20,1,13", "2,49,4,16", "33,1,2,5", "2,700,1,3"})
  void channelMomentsFollowTheDefinition(int examples, int positions, int groups, int dim) {
    double[] data = gaussian(random, examples * positions * groups * dim);
    checkMoment(new ChannelSamples(direct(data), examples, positions, groups, dim), data);
  }

  private void checkMoment(Samples samples, double[] data) {
    int n = samples.dim();
    double[] before = new double[samples.groups() * n * n];
    for (int k = 0; k < samples.groups(); k++) {
      System.arraycopy(covariance(random, n, n + 1), 0, before, k * n * n, n * n);
    }
    MatrixStack target = filled(samples.groups(), n, n, before);
    backend.accumulate(List.of(new AccumulateRequest(target, 0.75, 0.5, samples)));
    double[] expected = new double[before.length];
    for (int k = 0; k < samples.groups(); k++) {
      double[] moment = Literal.secondMoment(Literal.rows(data, samples, k));
      for (int i = 0; i < n * n; i++) {
        expected[k * n * n + i] = 0.75 * before[k * n * n + i] + 0.5 * moment[i];
      }
    }
    double[] actual = target.toArray();
    assertThat(error(actual, expected)).isLessThan(tolerance());
    for (int k = 0; k < samples.groups(); k++) {
      double[] one = Arrays.copyOfRange(actual, k * n * n, (k + 1) * n * n);
      assertThat(Literal.transpose(one, n, n)).as("symmetric to the bit").containsExactly(one);
    }
  }

  @Test
  void heapAndDoubleTensorsAreReadToo() {
    double[] data = gaussian(random, 20 * 13);
    float[] floats = new float[data.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) data[i];
    }
    List<double[]> results = new ArrayList<>();
    for (HostTensor tensor :
        List.of(direct(data), HostTensor.of(floats, 20, 13), HostTensor.of(data, 20, 13))) {
      MatrixStack target = zeros(1, 13, 13);
      backend.accumulate(
          List.of(
              new AccumulateRequest(target, 0, 1, new RowSamples(tensor, 20, 1, 1, 13, false))));
      results.add(target.toArray());
    }
    assertThat(results.get(1)).containsExactly(results.get(0));
    assertThat(results.get(2)).containsExactly(results.get(0));
  }

  @Test
  void aDecayOfZeroOverwritesWhateverWasThere() {
    MatrixStack target = filled(1, 2, 2, new double[] {Double.NaN, 1, Double.NaN, 1e30});
    RowSamples rows = new RowSamples(direct(new double[] {1, 2}), 1, 1, 1, 2, false);
    backend.accumulate(List.of(new AccumulateRequest(target, 0, 1, rows)));
    assertThat(target.toArray()).containsExactly(1, 2, 2, 4);
  }

  @Test
  void manyMomentsAtOnceEqualOneByOneAndRepeatToTheBit() {
    List<AccumulateRequest> together = new ArrayList<>();
    List<AccumulateRequest> alone = new ArrayList<>();
    for (int n : new int[] {1, 2, 13, 64, 207}) {
      RowSamples samples =
          new RowSamples(direct(gaussian(random, 40 * n)), 40, 1, 1, n, n % 2 == 0);
      together.add(new AccumulateRequest(zeros(1, samples.dim(), samples.dim()), 0, 0.1, samples));
      alone.add(new AccumulateRequest(zeros(1, samples.dim(), samples.dim()), 0, 0.1, samples));
    }
    backend.accumulate(together);
    alone.forEach(moment -> backend.accumulate(List.of(moment)));
    for (int i = 0; i < together.size(); i++) {
      assertThat(alone.get(i).target().toArray())
          .containsExactly(together.get(i).target().toArray());
    }
  }

  @ParameterizedTest
  @CsvSource({"true,true", "true,false", "false,true"})
  void momentsInABasisSquarePerExampleGradients(boolean rotated, boolean convolution) {
    int groups = convolution ? 2 : 1;
    double[] image = gaussian(random, 5 * 4 * 6 * 5);
    double[] ds = gaussian(random, 5 * 6 * 6 * 5);
    Samples a =
        convolution
            ? new PatchSamples(direct(image), 5, 4, 6, 5, ImageLayout.NCHW, same(3), groups, true)
            : new RowSamples(direct(image), 30, 1, 1, 20, true);
    Samples g =
        convolution
            ? new ChannelSamples(direct(ds), 5, 30, groups, 3)
            : new RowSamples(direct(ds), 30, 1, 1, 30, false);
    int rows = g.dim();
    int cols = a.dim();
    double[] qg = gaussian(random, groups * rows * rows);
    double[] qa = gaussian(random, groups * cols * cols);
    double[] before = gaussian(random, groups * rows * cols);
    MatrixStack target = filled(groups, rows, cols, before);
    backend.accumulateInBasis(
        List.of(
            new BasisAccumulateRequest(
                target,
                0.5,
                0.25,
                g,
                a,
                rotated ? filled(groups, rows, rows, qg) : null,
                rotated ? filled(groups, cols, cols, qa) : null)));
    double[] expected = new double[before.length];
    int positions = g.positions();
    for (int k = 0; k < groups; k++) {
      double[][] gRows = Literal.rows(ds, g, k);
      double[][] aRows = Literal.rows(image, a, k);
      double[] gk = Arrays.copyOfRange(qg, k * rows * rows, (k + 1) * rows * rows);
      double[] ak = Arrays.copyOfRange(qa, k * cols * cols, (k + 1) * cols * cols);
      double[] sum = new double[rows * cols];
      for (int n = 0; n < g.examples(); n++) {
        double[] gradient = new double[rows * cols];
        for (int t = n * positions; t < (n + 1) * positions; t++) {
          for (int i = 0; i < gradient.length; i++) {
            gradient[i] += gRows[t][i / cols] * aRows[t][i % cols];
          }
        }
        if (rotated) {
          gradient =
              Literal.multiply(Literal.transpose(gk, rows, rows), gradient, rows, rows, cols);
          gradient = Literal.multiply(gradient, ak, rows, cols, cols);
        }
        for (int i = 0; i < sum.length; i++) {
          sum[i] += gradient[i] * gradient[i];
        }
      }
      for (int i = 0; i < sum.length; i++) {
        int at = k * rows * cols + i;
        expected[at] = 0.5 * before[at] + 0.25 * sum[i];
      }
    }
    assertThat(error(target.toArray(), expected)).isLessThan(10 * tolerance());
  }
}
