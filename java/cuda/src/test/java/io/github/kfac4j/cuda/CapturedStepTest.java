package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;
import static org.bytedeco.cuda.global.cudart.cudaGraphDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphExecDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphInstantiate;
import static org.bytedeco.cuda.global.cudart.cudaGraphLaunch;
import static org.bytedeco.cuda.global.cudart.cudaStreamBeginCapture;
import static org.bytedeco.cuda.global.cudart.cudaStreamCaptureModeGlobal;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamEndCapture;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Moments, inverses and steps of tensors on the device as one CUDA graph: nothing in between waits
 * for the device, or the capture would be lost.
 */
@RequiresCuda
class CapturedStepTest {
  private static final int EXAMPLES = 6;
  private static final int OUT = 70;
  private static final int IN = 4 * 9 + 1;
  private static final double[] G_DAMPING = {0.1};
  private static final double[] A_DAMPING = {0.3};

  private final Random random = new Random(23);
  private final CUstream_st stream = new CUstream_st();
  private CudaBackend backend;

  @BeforeEach
  void open() {
    assertThat(cudaStreamCreate(stream)).isZero();
    backend = CudaBackend.onStream(0, stream);
  }

  @AfterEach
  void close() {
    backend.close();
    assertThat(cudaStreamDestroy(stream)).isZero();
  }

  /** A convolution's moments, inverses and step. */
  private final class Step implements AutoCloseable {
    final Gpu image = Gpu.floats(new double[EXAMPLES * 4 * 5 * 5]);
    final Gpu outputGradient = Gpu.floats(new double[EXAMPLES * 25 * OUT]);
    final Gpu weight = Gpu.floats(new double[OUT * (IN - 1)]);
    final Gpu bias = Gpu.floats(new double[OUT]);
    final MatrixStack a = backend.allocate(1, IN, IN);
    final MatrixStack g = backend.allocate(1, OUT, OUT);
    final MatrixStack aInverse = backend.allocate(1, IN, IN);
    final MatrixStack gInverse = backend.allocate(1, OUT, OUT);
    final List<AccumulateRequest> observe =
        List.of(
            new AccumulateRequest(
                a,
                0.9,
                0.1,
                new PatchSamples(
                    DeviceTensor.of(image.pointer(), EXAMPLES, 4, 5, 5),
                    EXAMPLES,
                    4,
                    5,
                    5,
                    ImageLayout.NCHW,
                    Window.of(3, 3).withPadding(1, 1),
                    1,
                    true)),
            new AccumulateRequest(
                g,
                0.9,
                0.1,
                new RowSamples(
                    DeviceTensor.of(outputGradient.pointer(), EXAMPLES * 25, OUT),
                    EXAMPLES,
                    25,
                    1,
                    OUT,
                    false)));
    final List<InvertRequest> refresh =
        List.of(
            new InvertRequest(a, 1, A_DAMPING, aInverse),
            new InvertRequest(g, 1, G_DAMPING, gInverse));
    final Gradient gradient =
        new Gradient(
            DeviceTensor.of(weight.pointer(), OUT, 4, 3, 3), DeviceTensor.of(bias.pointer(), OUT));
    final List<PreconditionRequest> precondition =
        List.of(new PreconditionRequest(gInverse, aInverse, 1, gradient, gradient));

    void set(long seed) {
      Random r = new Random(seed);
      image.write(gaussian(r, EXAMPLES * 4 * 5 * 5));
      outputGradient.write(gaussian(r, EXAMPLES * 25 * OUT));
      weight.write(gaussian(r, OUT * (IN - 1)));
      bias.write(gaussian(r, OUT));
    }

    void forget() {
      a.set(new double[IN * IN]);
      g.set(new double[OUT * OUT]);
    }

    @Override
    public void close() {
      List.of(image, outputGradient, weight, bias).forEach(Gpu::close);
    }
  }

  @Test
  void aStepCapturedAsAGraphGivesTheBitsOfCalls() {
    try (Step step = new Step()) {
      double[][] weights = new double[2][];
      double[] inners = new double[2];
      for (int i = 0; i < 2; i++) {
        step.set(i);
        backend.accumulate(step.observe);
        assertThat(backend.invert(step.refresh))
            .allSatisfy(all -> assertThat(all[0].ok()).isTrue());
        inners[i] = backend.precondition(step.precondition)[0];
        weights[i] = step.weight.read();
      }
      backend.enqueueInvert(step.refresh).close(); // allocates
      backend.enqueuePrecondition(step.precondition).close();
      step.forget();

      Enqueued<List<Status[]>> statuses;
      Enqueued<List<EnqueuedStep>> steps;
      CUgraph_st graph = new CUgraph_st();
      CUgraphExec_st executable = new CUgraphExec_st();
      assertThat(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal)).isZero();
      backend.accumulate(step.observe);
      statuses = backend.enqueueInvert(step.refresh);
      steps = backend.enqueuePrecondition(step.precondition);
      assertThat(cudaStreamEndCapture(stream, graph)).as("nothing waited").isZero();
      assertThat(cudaGraphInstantiate(executable, graph, 0)).isZero();
      assertThat(step.a.toArray()).as("nothing has run").containsOnly(0);

      for (int i = 0; i < 2; i++) {
        step.set(i);
        assertThat(cudaGraphLaunch(executable, stream)).isZero();
        assertThat(statuses.get()).allSatisfy(all -> assertThat(all).containsOnly(Status.OK));
        assertThat(steps.get()).containsExactly(new EnqueuedStep(inners[i], false));
        assertThat(step.weight.read()).as("launch %d", i).containsExactly(weights[i]);
        useScratchMemory(i);
      }
      statuses.close();
      steps.close();
      assertThat(cudaGraphExecDestroy(executable)).isZero();
      assertThat(cudaGraphDestroy(graph)).isZero();
    }
  }

  /** More than a step takes, so that the backend looks for other memory than the graph's. */
  private void useScratchMemory(int launch) {
    int n = 300 * (launch + 1);
    MatrixStack large = backend.allocate(1, n, n);
    RowSamples rows = new RowSamples(direct(gaussian(random, 4 * n)), 4, 1, 1, n, false);
    backend.accumulate(List.of(new AccumulateRequest(large, 0, 1, rows)));
    large.close();
  }

  @Test
  void whatAnEnqueuedInversionFoundIsReadWhenAskedFor() {
    MatrixStack good = Fixtures.stack(backend, 1, 2, 2, new double[] {1, 0, 0, 3});
    MatrixStack indefinite =
        Fixtures.stack(backend, 2, 2, 2, new double[] {1, 0, 0, 1, 1, 0, 0, -1});
    MatrixStack goodInverse = backend.allocate(1, 2, 2);
    MatrixStack kept = Fixtures.stack(backend, 2, 2, 2, new double[] {9, 9, 9, 9, 8, 8, 8, 8});
    Enqueued<List<Status[]>> enqueued =
        backend.enqueueInvert(
            List.of(
                new InvertRequest(good, 1, new double[] {1}, goodInverse),
                new InvertRequest(indefinite, 1, new double[] {0, 0}, kept)));
    List<Status[]> statuses = enqueued.get();
    assertThat(statuses.get(0)).containsExactly(Status.OK);
    assertThat(statuses.get(1)).containsExactly(Status.OK, Status.notPositiveDefinite(1));
    assertThat(goodInverse.toArray()).containsExactly(new double[] {0.5, 0, 0, 0.25}, within(1e-7));
    assertThat(kept.toArray()).containsExactly(1, 0, 0, 1, 8, 8, 8, 8);
    enqueued.close();
    enqueued.close();
    assertThatIllegalStateException().isThrownBy(enqueued::get).withMessageContaining("closed");
  }

  @Test
  void anInaccurateInverseIsNotWrittenAndSaysSo() {
    int n = 40;
    double[] factor = Fixtures.covariance(random, n, 5);
    MatrixStack source = Fixtures.stack(backend, 1, n, n, factor);
    Set<Status.Kind> seen = EnumSet.noneOf(Status.Kind.class);
    for (double condition = 10; condition < 1e9; condition *= 3) {
      double[] damping = {Literal.norm(factor, n) / condition};
      MatrixStack inverse = backend.allocate(1, n, n);
      List<InvertRequest> request = List.of(new InvertRequest(source, 1, damping, inverse));
      try (Enqueued<List<Status[]>> enqueued = backend.enqueueInvert(request)) {
        Status status = enqueued.get().get(0)[0];
        seen.add(status.kind());
        boolean written = Arrays.stream(inverse.toArray()).anyMatch(x -> x != 0);
        assertThat(written).as("condition %s: %s", condition, status).isEqualTo(status.ok());
        if (status.kind() == Status.Kind.INACCURATE) {
          assertThat(status.error()).isGreaterThan(InverseAccuracy.BOUND / 2);
        }
      }
    }
    assertThat(seen).contains(Status.Kind.OK, Status.Kind.INACCURATE);
  }

  @Test
  void gradientsOfTheHostAreNotEnqueued() {
    MatrixStack one = Fixtures.stack(backend, 1, 1, 1, new double[] {1});
    Gradient host = new Gradient(direct(new double[] {2}), null);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                backend.enqueuePrecondition(
                    List.of(new PreconditionRequest(one, one, 1, host, host))))
        .withMessageContaining("host memory");
  }

  /** The stand-in refuses this, or the first test could not fail. */
  @Test
  void aCaptureRefusesWhatWaits() {
    MatrixStack one = Fixtures.stack(backend, 1, 1, 1, new double[] {1});
    backend.traces(List.of(one));
    assertThat(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal)).isZero();
    assertThat(cudaStreamSynchronize(stream)).isNotZero();
    assertThat(cudaStreamEndCapture(stream, new CUgraph_st())).isNotZero();
  }
}
