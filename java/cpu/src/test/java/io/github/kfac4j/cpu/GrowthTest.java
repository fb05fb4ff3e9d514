package io.github.kfac4j.cpu;

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
import io.github.kfac4j.testkit.ChildJvm;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** Ten thousand small steps must not grow the process. */
class GrowthTest {
  @Test
  void tenThousandStepsHoldNoMoreMemoryThanAThousand() throws Exception {
    // a heap that is resident from the start, and little compiled code, leave only real growth
    String output =
        ChildJvm.run(
            Steps.class,
            entry -> entry,
            "-Xms128m",
            "-Xmx128m",
            "-XX:+AlwaysPreTouch",
            "-XX:TieredStopAtLevel=1");
    String[] growth = output.strip().split(" ");
    assertThat(Long.parseLong(growth[0])).as("bytes allocated outside the heap").isZero();
    assertThat(Long.parseLong(growth[1])).as("resident bytes").isLessThan(4L << 20);
  }

  /** Prints the growth of JavaCPP's memory and of the process between steps 1,000 and 10,000. */
  static final class Steps {
    public static void main(String[] args) {
      Random random = new Random(3);
      try (CpuBackend backend = new CpuBackend(2)) {
        HostTensor x = Data.direct(random.doubles(4 * 3 * 6 * 6).toArray());
        HostTensor ds = Data.direct(random.doubles(4 * 5 * 36).toArray());
        Window same = Window.of(3, 3).withPadding(1, 1);
        Samples a = new PatchSamples(x, 4, 3, 6, 6, ImageLayout.NCHW, same, 1, true);
        Samples g = new ChannelSamples(ds, 4, 36, 1, 5);
        HostTensor weight = Data.direct(random.doubles(5 * 27).toArray());
        HostTensor bias = Data.direct(random.doubles(5).toArray());
        Gradient gradient = new Gradient(weight, bias);
        MatrixStack factorA = backend.allocate(1, 28, 28);
        MatrixStack factorG = backend.allocate(1, 5, 5);
        MatrixStack inverseA = backend.allocate(1, 28, 28);
        MatrixStack inverseG = backend.allocate(1, 5, 5);
        MatrixStack values = backend.allocate(1, 1, 28);
        MatrixStack moments = backend.allocate(1, 5, 28);
        double[] damping = {1};
        long held = 0;
        long resident = 0;
        for (int step = 1; step <= 10_000; step++) {
          backend.firstNonFinite(List.of(x, ds));
          backend.accumulate(
              List.of(
                  new AccumulateRequest(factorA, 0.9, 0.1, a),
                  new AccumulateRequest(factorG, 0.9, 0.1, g)));
          backend.invert(
              List.of(
                  new InvertRequest(factorA, 1, damping, inverseA),
                  new InvertRequest(factorG, 1, damping, inverseG)));
          backend.precondition(
              List.of(new PreconditionRequest(inverseG, inverseA, 1, gradient, gradient)));
          backend.decompose(List.of(new DecomposeRequest(factorA, 1, inverseA, values)));
          backend.accumulateInBasis(
              List.of(
                  new BasisAccumulateRequest(
                      moments,
                      0.9,
                      0.1,
                      g,
                      a,
                      Basis.ofColumns(inverseG),
                      Basis.ofColumns(inverseA))));
          backend.preconditionInBasis(
              List.of(
                  new BasisPreconditionRequest(
                      Basis.ofColumns(inverseG),
                      Basis.ofColumns(inverseA),
                      moments,
                      1,
                      1,
                      gradient,
                      gradient)));
          backend.allocate(1, 10, 10).close();
          if (step == 1_000) {
            System.gc();
            held = Pointer.totalBytes();
            resident = Pointer.physicalBytes();
          }
        }
        System.gc();
        System.out.println(
            (Pointer.totalBytes() - held) + " " + (Pointer.physicalBytes() - resident));
      }
    }
  }
}
