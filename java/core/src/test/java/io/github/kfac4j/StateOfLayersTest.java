package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.EveryLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Saving, loading and resuming for every kind of layer, all in one network. */
class StateOfLayersTest {
  @TempDir Path directory;

  private static double[][] step(Kfac kfac, int step) {
    return EveryLayer.step(kfac, new Random(step));
  }

  private static Kfac kfac(Approximation approximation) {
    KfacOptions options = OPTIONS.withDecay(0.9).withIntervals(1, 2);
    return EveryLayer.kfac(new JavaBackend(), approximation, options);
  }

  @ParameterizedTest
  @EnumSource(Approximation.class)
  void aResumedRunContinuesBitByBit(Approximation approximation) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac straight = kfac(approximation);
        Kfac resumed = kfac(approximation)) {
      for (int i = 0; i < 5; i++) {
        step(straight, i);
      }
      straight.state().save(file);
      step(resumed, 99);
      resumed.state().load(file);
      assertThat(resumed.state().toTensors()).isEqualTo(straight.state().toTensors());
      for (int i = 5; i < 9; i++) {
        assertThat(step(resumed, i)).isDeepEqualTo(step(straight, i));
      }
    }
  }

  @Test
  void symmetricMatricesAreStoredAsTriangles() {
    try (Kfac kfac = kfac(Approximation.KRONECKER)) {
      step(kfac, 0);
      var tensors = kfac.state().toTensors();
      assertThat(tensors.get("fc.A").shape()).containsExactly(1, 15);
      assertThat(tensors.get("fc.A_inverse").shape()).containsExactly(1, 15);
      assertThat(tensors.get("norm.G").shape()).containsExactly(3, 3);
      assertThat(tensors.get("table.A").shape()).containsExactly(1, 1, 5);
      double[] a = kfac.state().inputFactor("fc");
      assertThat(tensors.get("fc.A").asDoubleBuffer().get(4))
          .isEqualTo(a[2 * 5 + 1] * kfac.state().layers().get("fc").factorWeight);
    }
  }
}
