package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreate;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.junit.jupiter.api.Test;

/**
 * Errors that cannot be had from a healthy GPU: the stand-in for the CUDA runtime is told to fail.
 * Each time in a process of its own, since a fatal error is one of the whole process.
 */
@RequiresCuda
class FailureTest {
  private static List<String> run(String failure) throws Exception {
    return run(failure, Steps.class);
  }

  private static List<String> run(String failure, Class<?> program) throws Exception {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "only the stand-in fails on demand");
    return CudaJvm.run(program, entry -> true, Map.of("KFAC_FAKE_FAIL", failure));
  }

  @Test
  void afterAFatalErrorEverythingIsRefusedWithItsCause() throws Exception {
    List<String> lines = run("cudaStreamSynchronize 700 3 3");
    String cause = "cudaStreamSynchronize failed with 700 (cudaErrorIllegalAddress";
    int failed = 0;
    while (lines.get(failed).endsWith(": done")) {
      failed++;
    }
    assertThat(failed).isPositive();
    assertThat(lines.get(failed)).contains("CudaException", "fatal true", cause);
    assertThat(lines.subList(failed + 1, lines.size() - 1))
        .isNotEmpty()
        .allSatisfy(
            line ->
                assertThat(line)
                    .contains("CudaException", "fatal true", "context of this process is lost")
                    .contains(cause));
    assertThat(lines).last().isEqualTo("closed");
  }

  @Test
  void anErrorThatPassesFailsOneCallOnly() throws Exception {
    List<String> lines = run("cudaMemcpyAsync 1 2 2");
    assertThat(lines.stream().filter(line -> !line.endsWith(": done")))
        .hasSize(2)
        .first()
        .asString()
        .contains("CudaException", "fatal false", "cudaMemcpyAsync failed with 1", "bytes");
  }

  @Test
  void scratchMemoryThatCannotBeHadLeavesAllAsItWas() throws Exception {
    // three stacks, then scratch memory with room to spare and, when that fails, without
    List<String> lines = run("cudaMalloc 2 4 5");
    String failed = lines.stream().filter(line -> line.contains("OutOfMemory")).findFirst().get();
    assertThat(failed).contains("cudaMalloc failed with 2", "scratch memory");
    assertThat(lines).contains("moment: 0.0 0.0 0.0 0.0", "moment again: done");
  }

  @Test
  void aStepThatCannotBeRepeatedInDoubleLeavesTheGradientAsItWas() throws Exception {
    // both inverses, the gradient, scratch memory, the norms of the inverses, cuBLAS
    assertThat(run("cudaMalloc 2 7 7", LossyStep.class))
        .satisfiesExactly(
            line -> assertThat(line).contains("OutOfMemory", "the workspace of cuBLAS"),
            line -> assertThat(line).isEqualTo("as it was: true"),
            line -> assertThat(line).isEqualTo("within 1e-06: true"));
  }

  @Test
  void aStreamOfAnotherDeviceIsRefused() throws Exception {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "only the stand-in has other devices");
    assertThat(
            CudaJvm.run(OtherStream.class, entry -> true, Map.of("KFAC_FAKE_STREAM_DEVICE", "3")))
        .containsExactly(
            "IllegalArgumentException: the stream belongs to device 3, not to device 0", "works");
  }

  /** Opens a backend on a stream that another device may have made. */
  static final class OtherStream {
    public static void main(String[] args) {
      CUstream_st stream = new CUstream_st();
      cudaStreamCreate(stream);
      try {
        CudaBackend.onStream(0, stream).close();
      } catch (RuntimeException e) {
        System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
      try (CudaBackend backend = new CudaBackend(0)) {
        backend.allocate(1, 2, 2).close();
        System.out.println("works");
      }
    }
  }

  /**
   * A step in place of a gradient in device memory, tried twice. The inverse of A has the
   * eigenvalue 1 along the gradient and 2^20 elsewhere.
   */
  static final class LossyStep {
    public static void main(String[] args) {
      int n = 16;
      double large = 1 << 20;
      double[] identity = new double[n * n];
      double[] inverse = new double[n * n];
      double[] dw = new double[n * n];
      for (int i = 0; i < n * n; i++) {
        identity[i] = i / n == i % n ? 1 : 0;
        inverse[i] = large * identity[i] - (large - 1) / n;
        dw[i] = (float) Math.sqrt(2 + i / n);
      }
      try (CudaBackend backend = new CudaBackend(0)) {
        MatrixStack g = backend.allocate(1, n, n);
        MatrixStack a = backend.allocate(1, n, n);
        g.set(identity);
        a.set(inverse);
        try (Gpu gpu = Gpu.floats(dw)) {
          Gradient gradient = new Gradient(DeviceTensor.of(gpu.pointer(), n, n), null);
          List<PreconditionRequest> step =
              List.of(new PreconditionRequest(g, a, 1, gradient, gradient));
          try {
            backend.precondition(step);
            System.out.println("done");
          } catch (CudaOutOfMemoryException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
          }
          System.out.println("as it was: " + Arrays.equals(gpu.read(), dw));
          backend.precondition(step);
          System.out.printf("within 1e-06: %b%n", Fixtures.error(gpu.read(), dw) <= 1e-6);
        }
      }
    }
  }

  /** Some steps, each reported in a line. */
  static final class Steps {
    public static void main(String[] args) {
      CudaBackend backend = new CudaBackend(0);
      MatrixStack moment = backend.allocate(1, 2, 2);
      MatrixStack inverse = backend.allocate(1, 2, 2);
      MatrixStack old = backend.allocate(1, 2, 2);
      RowSamples rows = new RowSamples(direct(new double[] {1, 2}), 1, 1, 1, 2, false);
      Runnable accumulate =
          () -> backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, rows)));
      step("moment", accumulate);
      if (lastFailed) {
        step("read", () -> System.out.println("moment: " + text(moment.toArray())));
      }
      step("moment again", accumulate);
      step(
          "invert",
          () -> backend.invert(List.of(new InvertRequest(moment, 1, new double[] {1}, inverse))));
      step("traces", () -> backend.traces(List.of(old)));
      step("allocate", () -> backend.allocate(1, 3, 3));
      step("read old", old::toArray);
      backend.close();
      System.out.println("closed");
    }

    private static boolean lastFailed;

    private static String text(double[] values) {
      return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(" "));
    }

    private static void step(String name, Runnable work) {
      lastFailed = false;
      try {
        work.run();
        System.out.println(name + ": done");
      } catch (CudaException e) {
        lastFailed = true;
        System.out.printf(
            "%s: %s, fatal %b: %s%n",
            name, e.getClass().getSimpleName(), e.fatal(), e.getMessage());
      }
    }
  }
}
