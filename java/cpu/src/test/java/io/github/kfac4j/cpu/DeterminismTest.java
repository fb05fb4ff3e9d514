package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cpu.openblas.OpenBlasThreads;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Any number of threads gives the same bits, where work is cut into tiles, slices and blocks. */
class DeterminismTest {
  @Test
  void bitsDoNotDependOnThreads() {
    List<double[]> one = results(1);
    for (int threads : new int[] {2, 5}) {
      List<double[]> more = results(threads);
      for (int i = 0; i < one.size(); i++) {
        assertThat(differences(more.get(i), one.get(i))).as("result %d", i).isZero();
      }
    }
  }

  @Test
  void bitsDoNotDependOnTheThreadsThatOthersGaveOpenBlas() {
    OpenBlasThreads threads = OpenBlasThreads.find();
    double[] expected = inverse();
    int before = threads.set(2);
    try {
      assertThat(differences(inverse(), expected)).isZero();
      assertThat(threads.set(2)).as("left to others").isEqualTo(2);
    } finally {
      threads.set(before);
    }
  }

  private static double[] inverse() {
    int n = 801;
    Random random = new Random(5);
    try (CpuBackend backend = new CpuBackend(2, false);
        MatrixStack source = backend.allocate(1, n, n);
        MatrixStack inverse = backend.allocate(1, n, n)) {
      double[] m = new double[n * n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
          m[i * n + j] = m[j * n + i] = i == j ? 1 : 0.01 * random.nextGaussian();
        }
      }
      source.set(m);
      InvertRequest request = new InvertRequest(source, 1, new double[] {0.1}, inverse);
      assertThat(backend.invert(List.of(request)).get(0)[0].ok()).isTrue();
      return inverse.toArray();
    }
  }

  private static long differences(double[] x, double[] y) {
    return IntStream.range(0, y.length).filter(i -> Double.compare(x[i], y[i]) != 0).count();
  }

  private static List<double[]> results(int threads) {
    Random random = new Random(99);
    List<double[]> results = new ArrayList<>();
    try (CpuBackend backend = new CpuBackend(threads)) {
      HostTensor image = Data.direct(gaussian(random, 16 * 16 * 30 * 30));
      HostTensor ds = Data.direct(gaussian(random, 16 * 8 * 450));
      Window same = Window.of(5, 5).withStride(1, 2).withPadding(2, 2);
      Samples a = new PatchSamples(image, 16, 16, 30, 30, ImageLayout.NCHW, same, 1, true);
      Samples g = new ChannelSamples(ds, 16, 450, 1, 8);
      Samples wide = new RowSamples(image, 100, 1, 1, 1100, true);
      Samples narrow = new RowSamples(ds, 100, 1, 1, 130, false);
      MatrixStack sliced = backend.allocate(1, a.dim(), a.dim());
      MatrixStack tiled = backend.allocate(1, wide.dim(), wide.dim());
      MatrixStack small = backend.allocate(1, 130, 130);
      backend.accumulate(
          List.of(
              new AccumulateRequest(sliced, 0, 1, a),
              new AccumulateRequest(tiled, 0, 0.01, wide),
              new AccumulateRequest(small, 0, 0.01, narrow)));
      results.add(sliced.toArray());
      results.add(tiled.toArray());
      MatrixStack basis = backend.allocate(1, g.dim(), a.dim());
      MatrixStack rows = backend.allocate(1, 130, 1101);
      backend.accumulateInBasis(
          List.of(
              new BasisAccumulateRequest(basis, 0, 1, g, a, null, Basis.ofColumns(sliced)),
              new BasisAccumulateRequest(
                  rows, 0, 1, narrow, wide, Basis.ofColumns(small), Basis.ofColumns(tiled))));
      results.add(basis.toArray());
      results.add(rows.toArray());
      MatrixStack aInverse = backend.allocate(1, wide.dim(), wide.dim());
      MatrixStack gInverse = backend.allocate(1, 130, 130);
      backend.invert(
          List.of(
              new InvertRequest(tiled, 1, new double[] {0.1}, aInverse),
              new InvertRequest(small, 1, new double[] {0.1}, gInverse)));
      results.add(aInverse.toArray());
      HostTensor weight = Data.direct(gaussian(random, 130 * 1100));
      HostTensor bias = Data.direct(gaussian(random, 130));
      Gradient gradient = new Gradient(weight, bias);
      results.add(
          backend.precondition(
              List.of(new PreconditionRequest(gInverse, aInverse, 1, gradient, gradient))));
      results.add(weight.toArray());
      results.add(bias.toArray());
      for (MatrixStack stack : List.of(sliced, tiled, small, basis, rows, aInverse, gInverse)) {
        stack.close();
      }
    }
    return results;
  }
}
