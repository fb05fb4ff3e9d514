package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The same inputs give the same bits: in a new backend, and again in the same one. */
@RequiresCuda
class RepeatTest {
  @Test
  void everyVerbRepeatsToTheBit() {
    List<double[]> first;
    List<double[]> second;
    try (CudaBackend backend = new CudaBackend(0)) {
      first = results(backend);
      second = results(backend);
    }
    List<double[]> third;
    try (CudaBackend backend = new CudaBackend(0)) {
      third = results(backend);
    }
    assertThat(first).hasSize(14);
    for (int i = 0; i < first.size(); i++) {
      assertThat(second.get(i)).as("result %d, again", i).containsExactly(first.get(i));
      assertThat(third.get(i)).as("result %d, anew", i).containsExactly(first.get(i));
    }
  }

  private static List<double[]> results(CudaBackend backend) {
    Random random = new Random(17);
    HostTensor image = direct(gaussian(random, 9 * 8 * 14 * 13));
    HostTensor ds = direct(gaussian(random, 9 * 12 * 91));
    Window window = Window.of(3, 3).withStride(2, 1).withPadding(1, 1);
    Samples a = new PatchSamples(image, 9, 8, 14, 13, ImageLayout.NCHW, window, 2, true);
    Samples g = new ChannelSamples(ds, 9, 91, 2, 6);
    int n = a.dim();
    MatrixStack aMoment = backend.allocate(2, n, n);
    MatrixStack gMoment = backend.allocate(2, 6, 6);
    backend.accumulate(
        List.of(
            new AccumulateRequest(aMoment, 0, 0.01, a),
            new AccumulateRequest(gMoment, 0, 0.01, g)));
    MatrixStack aInverse = backend.allocate(2, n, n);
    MatrixStack gInverse = backend.allocate(2, 6, 6);
    double[] damping = {0.1, 0.2};
    backend.invert(
        List.of(
            new InvertRequest(aMoment, 1, damping, aInverse),
            new InvertRequest(gMoment, 1, damping, gInverse)));
    MatrixStack qa = backend.allocate(2, n, n);
    MatrixStack qg = backend.allocate(2, 6, 6);
    MatrixStack aValues = backend.allocate(2, 1, n);
    MatrixStack gValues = backend.allocate(2, 1, 6);
    backend.decompose(
        List.of(
            new DecomposeRequest(aMoment, 1, qa, aValues),
            new DecomposeRequest(gMoment, 1, qg, gValues)));
    MatrixStack moments = backend.allocate(2, 6, n);
    backend.accumulateInBasis(
        List.of(
            new BasisAccumulateRequest(
                moments, 0, 1, g, a, Basis.ofColumns(qg), Basis.ofColumns(qa))));
    Gradient byInverse = gradient(random, n);
    double inner =
        backend
            .precondition(
                List.of(new PreconditionRequest(gInverse, aInverse, 2, byInverse, byInverse)))[0];
    Gradient byBasis = gradient(random, n);
    double basisInner =
        backend
            .preconditionInBasis(
                List.of(
                    new BasisPreconditionRequest(
                        Basis.ofColumns(qg),
                        Basis.ofColumns(qa),
                        moments,
                        1,
                        0.1,
                        byBasis,
                        byBasis)))[0];
    List<double[]> results = new ArrayList<>();
    List<MatrixStack> stacks =
        List.of(aMoment, gMoment, aInverse, gInverse, qa, qg, aValues, gValues, moments);
    stacks.forEach(stack -> results.add(stack.toArray()));
    stacks.forEach(MatrixStack::close);
    results.add(((HostTensor) byInverse.weight()).toArray());
    results.add(((HostTensor) byInverse.bias()).toArray());
    results.add(((HostTensor) byBasis.weight()).toArray());
    results.add(((HostTensor) byBasis.bias()).toArray());
    results.add(new double[] {inner, basisInner});
    return results;
  }

  private static Gradient gradient(Random random, int n) {
    return new Gradient(direct(gaussian(random, 12 * (n - 1))), direct(gaussian(random, 12)));
  }
}
