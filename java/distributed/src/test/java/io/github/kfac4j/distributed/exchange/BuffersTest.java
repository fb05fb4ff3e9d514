package io.github.kfac4j.distributed.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.distributed.collectives.Buffers;
import org.junit.jupiter.api.Test;

/** Sums of sizes are counted beyond an int, and refused in words. */
class BuffersTest {
  private static final int MAX_INT = Integer.MAX_VALUE;

  @Test
  void sumsUpToTheLargestBufferAreExact() {
    assertThat(Buffers.sum(new int[] {MAX_INT - 5, 0, 5})).isEqualTo(MAX_INT);
    assertThat(BlockFormat.FP32.bytes(MAX_INT / 4)).isEqualTo(MAX_INT / 4 * 4);
    assertThat(BlockFormat.FP16.bytes(MAX_INT / 4)).isEqualTo(4 + (MAX_INT / 4 + 1) / 2 * 4);
  }

  @Test
  void moreThanABufferHoldsIsRefusedWithItsSize() {
    assertThatThrownBy(() -> Buffers.sum(new int[] {MAX_INT, MAX_INT, MAX_INT, MAX_INT}))
        .isInstanceOf(MemoryException.class)
        .hasMessage(
            "ranks would exchange 8.0 GiB at once, which is more than the 2.0 GiB of a buffer:"
                + " choose DIAGONAL for the largest layers or leave them out");
    assertThatThrownBy(() -> BlockFormat.FP32.bytes(MAX_INT / 2))
        .isInstanceOf(MemoryException.class);
    assertThatThrownBy(() -> BlockFormat.FP16.bytes(MAX_INT)).isInstanceOf(MemoryException.class);
  }
}
