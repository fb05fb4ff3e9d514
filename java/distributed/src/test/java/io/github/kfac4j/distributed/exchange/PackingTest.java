package io.github.kfac4j.distributed.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.safetensors.Half;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PackingTest {
  @Test
  void everyHalfIsExactAndRoundingIsToTheNearest() {
    for (int bits = 0; bits < 0x7c00; bits++) {
      short half = (short) bits;
      float value = Half.toFloat(half);
      assertThat(Half.of(value)).isEqualTo(half);
      assertThat(Half.of(-value)).isEqualTo((short) (bits | 0x8000));
      if (bits < 0x7bff) {
        double next = Half.toFloat((short) (bits + 1));
        double middle = (value + next) / 2;
        short even = (bits & 1) == 0 ? half : (short) (bits + 1);
        assertThat(Half.of((float) middle)).as("middle after %x", bits).isEqualTo(even);
        assertThat(Half.of(Math.nextDown((float) middle))).isEqualTo(half);
        assertThat(Half.of(Math.nextUp((float) middle))).isEqualTo((short) (bits + 1));
      }
    }
    assertThat(Half.toFloat((short) 0x7bff)).isEqualTo(Half.MAX);
    assertThat(Half.toFloat(Half.of(65520f))).isInfinite();
    assertThat(Half.toFloat(Half.of(Float.NEGATIVE_INFINITY))).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Half.toFloat(Half.of(Float.NaN))).isNaN();
  }

  @Test
  void blocksInHalfPrecisionKeepTheirScale() {
    Random random = new Random(5);
    for (float scale : new float[] {1e-38f, 1e-20f, 1, 1e30f}) {
      float[] values = new float[7];
      float largest = 0;
      for (int i = 0; i < values.length; i++) {
        values[i] = scale * (random.nextFloat() - 0.5f);
        largest = Math.max(largest, Math.abs(values[i]));
      }
      var bytes = Buffers.bytes(BlockFormat.FP16.bytes(values.length));
      BlockFormat.FP16.encode(values, bytes);
      assertThat(bytes.hasRemaining()).isFalse();
      float[] back = new float[values.length];
      BlockFormat.FP16.decode(bytes.flip(), back);
      for (int i = 0; i < values.length; i++) {
        assertThat(Math.abs(back[i] - values[i])).isLessThanOrEqualTo(largest * 0x1p-11f);
      }
    }
  }

  @Test
  void zerosAndNansTravel() {
    for (float special : new float[] {0, Float.NaN, Float.POSITIVE_INFINITY}) {
      var bytes = Buffers.bytes(BlockFormat.FP16.bytes(1));
      BlockFormat.FP16.encode(new float[] {special}, bytes);
      float[] back = {1};
      BlockFormat.FP16.decode(bytes.flip(), back);
      assertThat(back[0]).isEqualTo(Float.valueOf(special));
    }
  }
}
