package io.github.kfac4j.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** What OpenBLAS's memory cannot hold is refused in words. */
class SizesOnCpuTest {
  @Test
  void aHeadOfThirtyThousandOutputsIsNamed() {
    long before = NativeMemory.reachableBytes();
    try (CpuBackend cpu = new CpuBackend(1)) {
      assertThatThrownBy(
              () -> new Kfac(cpu, Map.of("head", new Dense(9, 30000, true)), KfacOptions.DEFAULT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "layer 'head': its factor G of 30000 x 30000 needs 3.4 GiB of native memory, and the"
                  + " backend 'cpu' can hold at most 2.0 GiB in one piece; use DIAGONAL for it or"
                  + " leave it out");
    }
    assertThat(Pointer.totalBytes()).isEqualTo(before);
  }

  /** The layers are as many as the limit of JavaCPP, whatever it is here, does not hold. */
  @Test
  void layersThatTogetherAreTooManyAreRefusedBeforeTheFirstIsAllocated() {
    try (CpuBackend cpu = new CpuBackend(1)) {
      long available = cpu.storage().available();
      assertThat(available).isPositive().isLessThan(Long.MAX_VALUE);
      int n = 8192; // 256 MiB; with copy, inverse and the copy of that 1 GiB
      Map<String, Dense> layers = new LinkedHashMap<>();
      for (int i = 0; i <= available >> 30; i++) {
        layers.put("layer" + i, new Dense(8, n, false));
      }
      long before = NativeMemory.reachableBytes();
      assertThatThrownBy(() -> new Kfac(cpu, layers, KfacOptions.DEFAULT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("layer 'layer0': its factor G of 8192 x 8192 needs 256.0 MiB")
          .hasMessageContaining("are available; use DIAGONAL for it or leave it out, or give it");
      assertThat(Pointer.totalBytes()).isEqualTo(before);
    }
  }

  /** Its panels need 60 MB of native memory, of which there are 48. */
  @Test
  void whatRunsOutInsideAVerbIsNamedWithTheLayer() throws IOException, InterruptedException {
    String output =
        ChildJvm.run(
            LongBatch.class,
            entry -> entry,
            "-Dorg.bytedeco.javacpp.maxbytes=48m",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=64g");
    assertThat(output)
        .contains(
            "layer 'long': the backend 'cpu' has not enough memory for its verb 'accumulate'");
  }

  /** Observes 25000 rows of 600. */
  static final class LongBatch {
    public static void main(String[] arguments) {
      int rows = 25000;
      FloatBuffer data =
          ByteBuffer.allocateDirect(4 * rows * 600).order(ByteOrder.nativeOrder()).asFloatBuffer();
      try (CpuBackend cpu = new CpuBackend(1);
          Kfac kfac =
              new Kfac(cpu, Map.of("long", new Dense(600, 600, false)), KfacOptions.DEFAULT)) {
        HostTensor tensor = HostTensor.of(data, rows, 600);
        kfac.observe(List.of(Observation.ofSumLoss("long", tensor, tensor)));
      } catch (MemoryException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void scratchMemoryBeyondABlockIsRefusedAndTheRestGoesOn() {
    try (Arena arena = new Arena()) {
      for (long length : new long[] {1L << 29, 1L << 31, 1L << 40}) {
        assertThatThrownBy(() -> arena.take(length))
            .isInstanceOf(MemoryException.class)
            .hasMessageContaining("in one piece, and can have at most 2.0 GiB");
      }
      arena.take(100).fill(100, 1f);
      assertThat(arena.takenFloats()).isEqualTo(112);
    }
  }
}
