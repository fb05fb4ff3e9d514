package io.github.kfac4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HostTensorTest {
  private static final int MUCH = Integer.MAX_VALUE;

  private static float[] counting(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = i;
    }
    return values;
  }

  @Test
  void nothingBeyondTheEndIsReadOrWritten() {
    float[] data = counting(12);
    HostTensor turned = HostTensor.of(data, 4, 3).permute(1, 0);
    assertThatThrownBy(() -> turned.read(10, new double[4], 0, 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> turned.write(10, new double[4], 0, 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(data).isEqualTo(counting(12));
  }

  @Test
  void elementsAreWhereTheStridesSay() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      int[] shape = random.ints(random.nextInt(5), 1, 5).toArray();
      long[] strides = random.longs(shape.length, 0, 9).toArray();
      HostTensor tensor = HostTensor.strided(FloatBuffer.wrap(counting(200)), shape, strides);
      double[] all = tensor.toArray();
      for (int i = 0; i < all.length; i++) {
        int rest = i;
        long at = 0;
        for (int d = shape.length - 1; d >= 0; d--) {
          at += rest % shape[d] * strides[d];
          rest /= shape[d];
        }
        assertThat(all[i]).isEqualTo(at);
      }
      int start = random.nextInt(all.length);
      int length = random.nextInt(all.length - start + 1);
      double[] some = new double[length + 2];
      tensor.read(start, some, 1, length);
      FloatBuffer floats = FloatBuffer.allocate(length + 2).slice(1, length);
      tensor.read(start, floats);
      for (int i = 0; i < length; i++) {
        assertThat(some[1 + i]).isEqualTo(all[start + i]).isEqualTo(floats.get(i));
      }
    }
  }

  @Test
  void rowMajorStridesAreNone() {
    FloatBuffer data = FloatBuffer.wrap(counting(24));
    HostTensor tensor = HostTensor.strided(data, new int[] {2, 1, 3, 4}, 12, 99, 4, 1);
    assertThat(tensor.isContiguous()).isTrue();
    assertThat(tensor.floats()).isEqualTo(data);
    assertThat(tensor.strides()).containsExactly(12, 12, 4, 1);
    assertThat(HostTensor.strided(data, new int[] {0, 3}, 5, 7).toArray()).isEmpty();
    assertThat(HostTensor.strided(data, new int[0]).toArray()).containsExactly(0);
  }

  @Test
  void viewsShareTheMemory() {
    double[] memory = {1, 2, 3, 4, 5, 6};
    HostTensor transposed = HostTensor.of(memory, 2, 3).permute(1, 0);
    assertThat(transposed.shape()).isEqualTo(Shape.of(3, 2));
    assertThat(transposed.toArray()).containsExactly(1, 4, 2, 5, 3, 6);
    assertThat(transposed.leading(2).toArray()).containsExactly(1, 4, 2, 5);
    assertThat(transposed.permute(1, 0).isContiguous()).isTrue();
    transposed.write(1, new double[] {7, 8}, 0, 2);
    transposed.write(4, FloatBuffer.wrap(new float[] {9, 10}));
    assertThat(memory).containsExactly(1, 8, 9, 7, 5, 10);
    assertThatThrownBy(transposed::doubles)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[3, 2]")
        .hasMessageContaining("[1, 3]");
    assertThatThrownBy(() -> transposed.permute(1, 1)).hasMessageContaining("[1, 1]");
    assertThatThrownBy(() -> transposed.permute(0)).hasMessageContaining("[0]");
  }

  @Test
  void elementsThatMayBeOnePlaceAreFound() {
    FloatBuffer data = FloatBuffer.allocate(100);
    assertThat(HostTensor.strided(data, new int[] {3, 2}, 1, 3).overlaps()).isFalse();
    assertThat(HostTensor.strided(data, new int[] {3, 2}, 1, 2).overlaps()).isTrue();
    assertThat(HostTensor.strided(data, new int[] {3, 1, 2}, 1, 0, 3).overlaps()).isFalse();
    assertThat(HostTensor.strided(data, new int[] {3, 2}, 0, 1).overlaps()).isTrue();
    assertThat(HostTensor.strided(data, new int[] {3, 2}, 20, 20).overlaps()).isTrue();
    assertThat(HostTensor.of(data, 100).overlaps()).isFalse();
  }

  @Test
  void whatDoesNotFitIsRefusedWithItsNumbers() {
    FloatBuffer data = FloatBuffer.allocate(10).slice(2, 8);
    assertThat(HostTensor.strided(data, new int[] {2, 3}, 3, 2).size()).isEqualTo(6);
    refuse(
        data, new int[] {2, 3}, new long[] {4, 2}, "ends with element 8 of a buffer that holds 8");
    refuse(data, new int[] {2, 3}, new long[] {4}, "2 dimensions, but there are 1 strides [4]");
    refuse(data, new int[] {2, 3}, new long[] {4, -1}, "strides [4, -1]");
    refuse(data, new int[] {2, 3}, new long[] {1L << 32, 0}, "element 4294967296");
    refuse(data, new int[] {MUCH, MUCH}, new long[] {0, 0}, "4611686014132420609 elements");
    refuse(data, new int[] {5, 5}, new long[] {Long.MAX_VALUE / 2, 1}, "2^63 or more");
    assertThatThrownBy(() -> HostTensor.strided(DoubleBuffer.allocate(3), new int[] {2, 2}, 2, 1))
        .hasMessageContaining("element 3 of a buffer that holds 3");
  }

  @Test
  void shapesBeyondALongAreRefusedWithTheirNumbers() {
    for (int[] shape :
        new int[][] {{MUCH, MUCH, MUCH}, {0, MUCH, MUCH, MUCH}, {MUCH, 0, MUCH, 5}}) {
      String words = "shape %s is too large".formatted(Arrays.toString(shape));
      assertThatThrownBy(() -> Shape.of(shape))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(words);
      assertThatThrownBy(() -> HostTensor.of(new float[4], shape)).hasMessageContaining(words);
      long[] strides = new long[shape.length];
      refuse(FloatBuffer.allocate(4), shape, strides, words);
    }
    assertThat(Shape.of(MUCH, MUCH, 2).size()).isEqualTo(2L * MUCH * MUCH);
    assertThat(HostTensor.of(new float[0], MUCH, 0, MUCH).strides()).containsExactly(MUCH, MUCH, 1);
    HostTensor small = HostTensor.of(new float[1], 1);
    assertThatThrownBy(() -> HostTensor.like(small, MUCH, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("shape [2147483647, 2] has 4294967294 elements");
    assertThatThrownBy(() -> Shape.ints(3, 1L << 31))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("shape [3, 2147483648] is too large");
  }

  private static void refuse(FloatBuffer data, int[] shape, long[] strides, String reason) {
    assertThatThrownBy(() -> HostTensor.strided(data, shape, strides))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
  }
}
