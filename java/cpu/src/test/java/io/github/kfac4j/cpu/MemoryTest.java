package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** What the backend holds outside the heap. */
class MemoryTest {
  @Test
  void patchesAreNeverStoredAsAWhole() {
    int threads = 2;
    double[] image = gaussian(new Random(1), 8 * 32 * 56 * 56);
    for (boolean inPlace : new boolean[] {true, false}) {
      try (CpuBackend backend = new CpuBackend(threads)) {
        PatchSamples samples =
            new PatchSamples(
                inPlace ? Data.direct(image) : Data.converted(image).get(0),
                8,
                32,
                56,
                56,
                ImageLayout.NCHW,
                Window.of(5, 5).withPadding(2, 2),
                1,
                true);
        try (MatrixStack target = backend.allocate(1, samples.dim(), samples.dim())) {
          backend.accumulate(List.of(new AccumulateRequest(target, 0, 1, samples)));
        }
        long all = Float.BYTES * samples.rows() * samples.dim();
        assertThat(all).isGreaterThan(76L << 20);
        assertThat(backend.scratchBytes()).isLessThan(all / 4); // spectra and sums in fp64
      }
    }
  }

  @Test
  void gradientsOfTheExamplesOfABatchAreNeverStoredTogether() {
    int threads = 2;
    int examples = 512;
    Random random = new Random(2);
    PatchSamples a =
        new PatchSamples(
            Data.direct(gaussian(random, examples * 32 * 4 * 4)),
            examples,
            32,
            4,
            4,
            ImageLayout.NCHW,
            Window.of(3, 3),
            1,
            true);
    ChannelSamples g =
        new ChannelSamples(Data.direct(gaussian(random, examples * 64 * 4)), examples, 4, 1, 64);
    try (CpuBackend backend = new CpuBackend(threads);
        MatrixStack target = backend.allocate(1, 64, a.dim());
        MatrixStack gBasis = backend.allocate(1, 64, 64);
        MatrixStack aBasis = backend.allocate(1, a.dim(), a.dim())) {
      backend.accumulateInBasis(
          List.of(
              new BasisAccumulateRequest(
                  target, 0, 1, g, a, Basis.ofColumns(gBasis), Basis.ofColumns(aBasis))));
      long all = (long) Float.BYTES * examples * 64 * a.dim();
      assertThat(all).isGreaterThan(36L << 20);
      assertThat(backend.scratchBytes()).isLessThan(threads * (8L << 20));
    }
  }

  @Test
  void closingReleasesEverything() {
    long before = NativeMemory.reachableBytes();
    CpuBackend backend = new CpuBackend(3);
    MatrixStack stack = backend.allocate(2, 50, 50);
    backend.accumulate(
        List.of(
            new AccumulateRequest(
                backend.allocate(1, 50, 50),
                0,
                1,
                new io.github.kfac4j.samples.RowSamples(
                    Data.converted(new double[500]).get(0), 10, 1, 1, 50, false))));
    assertThat(Pointer.totalBytes()).isGreaterThan(before);
    stack.close();
    backend.close();
    backend.close();
    assertThat(backend.scratchBytes()).isZero();
    assertThatThrownBy(() -> backend.accumulate(List.of()))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> backend.traces(List.of(stack)))
        .isInstanceOf(IllegalStateException.class);
  }
}
