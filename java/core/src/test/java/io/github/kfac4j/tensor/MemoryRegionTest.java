package io.github.kfac4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether two tensors share memory. */
class MemoryRegionTest {
  private static final int BYTES = 400;

  private static ByteBuffer memory() {
    return ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
  }

  /** A view at random whose elements are apart, and the bytes that they take. */
  private static HostTensor draw(Random random, ByteBuffer memory, int alignment, BitSet taken) {
    while (true) {
      boolean wide = random.nextBoolean();
      int width = wide ? 8 : 4;
      int start = random.nextInt(60 / alignment) * alignment;
      ByteBuffer rest = memory.slice(start, BYTES - start).order(ByteOrder.nativeOrder());
      int[] shape = random.ints(1 + random.nextInt(3), 1, 4).toArray();
      long[] strides = random.longs(shape.length, 1, 8).toArray();
      HostTensor tensor =
          wide
              ? HostTensor.strided(rest.asDoubleBuffer(), shape, strides)
              : HostTensor.strided(rest.asFloatBuffer(), shape, strides);
      if (tensor.overlaps()) {
        continue;
      }
      for (int i = 0; i < tensor.size(); i++) {
        int at = start;
        int index = i;
        for (int d = shape.length - 1; d >= 0; d--) {
          at += (int) (index % shape[d] * strides[d] * width);
          index /= shape[d];
        }
        taken.set(at, at + width);
      }
      return tensor;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void twoShareMemoryIfAByteIsInBoth(int alignment) {
    Random random = new Random(alignment);
    int sharing = 0;
    for (int round = 0; round < 3000; round++) {
      ByteBuffer memory = memory();
      BitSet first = new BitSet();
      BitSet second = new BitSet();
      HostTensor a = draw(random, memory, alignment, first);
      HostTensor b = draw(random, memory, alignment, second);
      boolean shared = first.intersects(second);
      MemoryRegion there = b.memory().orElseThrow();
      assertThat(a.memory().orElseThrow().overlaps(there)).as("round %d", round).isEqualTo(shared);
      assertThat(there.overlaps(a.memory().orElseThrow())).isEqualTo(shared);
      sharing += shared ? 1 : 0;
    }
    assertThat(sharing).isBetween(300, 2700);
  }

  @Test
  void anArrayOnTheHeapIsAMemoryOfItsOwn() {
    float[] array = new float[8];
    MemoryRegion region = HostTensor.of(array, 2, 2).memory().orElseThrow();
    FloatBuffer rest = FloatBuffer.wrap(array, 3, 5);
    assertThat(region.overlaps(HostTensor.of(rest, 5).memory().orElseThrow())).isTrue();
    assertThat(region.overlaps(HostTensor.of(rest.slice(4, 4), 4).memory().orElseThrow()))
        .isFalse();
    assertThat(region.overlaps(HostTensor.of(new float[4], 4).memory().orElseThrow())).isFalse();
  }

  @Test
  void memoryThatIsAddressedIsComparedByAddress() {
    Shape shape = Shape.of(2, 3);
    MemoryRegion region = MemoryRegion.at(4096, 2, shape);
    assertThat(region.overlaps(MemoryRegion.at(4106, 4, shape))).isTrue();
    assertThat(region.overlaps(MemoryRegion.at(4108, 4, shape))).isFalse();
    assertThat(region.overlaps(MemoryRegion.at(4084, 2, shape))).isFalse();
    assertThat(region.overlaps(MemoryRegion.at(4086, 2, shape))).isTrue();
    assertThat(region.overlaps(MemoryRegion.at(4096, 2, Shape.of(0, 3)))).isFalse();
  }
}
