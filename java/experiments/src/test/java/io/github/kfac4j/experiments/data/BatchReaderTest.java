package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class BatchReaderTest {

  @Test
  void standardisesWithTheTrainingStatistics() {
    // training bytes 0, 200: mean 100, standard deviation 100
    Images train = new Images(new byte[] {0, (byte) 200}, new byte[] {1, 2}, 1, 1, 1);
    Images validation = new Images(new byte[] {(byte) 250, 50, 0}, new byte[] {3, 4, 5}, 1, 1, 1);
    Dataset data = new Dataset("d", "s", "x", train, validation, null);

    BatchReader reader = BatchReader.validation(data, 3);
    reader.read(new int[] {1, 0}, 0);
    assertThat(floats(reader.inputs())).containsExactly(-0.5f, 1.5f);
    assertThat(floats(reader.labels())).containsExactly(4, 3);

    BatchReader training = BatchReader.training(data, 2, false, 0);
    training.read(new int[] {0, 1}, 5);
    assertThat(floats(training.inputs())).containsExactly(-1, 1);
  }

  @Test
  void augmentsColourImagesAsAFunctionOfSeedAndStep() {
    byte[] pixels = new byte[3 * 32 * 32];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * 31 % 251);
    }
    Images one = new Images(pixels, new byte[] {1}, 3, 32, 32);
    Dataset data = new Dataset("d", "s", "x", one, one, null);
    BatchReader plain = BatchReader.validation(data, 1);
    plain.read(new int[] {0}, 0);
    float[] original = floats(plain.inputs());

    BatchReader reader = BatchReader.training(data, 1, true, 3);
    int flips = 0;
    for (int step = 0; step < 40; step++) {
      reader.read(new int[] {0}, step);
      float[] first = floats(reader.inputs());
      flips += matches(original, first, true) ? 1 : 0;
      assertThat(matches(original, first, true) || matches(original, first, false)).isTrue();
      reader.read(new int[] {0}, step);
      assertThat(floats(reader.inputs())).isEqualTo(first);
    }
    assertThat(flips).isBetween(8, 32);
  }

  /** Whether {@code changed} is {@code original}, perhaps flipped, at some shift up to 4. */
  private static boolean matches(float[] original, float[] changed, boolean flip) {
    for (int down = -4; down <= 4; down++) {
      for (int right = -4; right <= 4; right++) {
        if (matches(original, changed, flip, down, right)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean matches(
      float[] original, float[] changed, boolean flip, int down, int right) {
    for (int i = 0; i < changed.length; i++) {
      int c = i / 1024;
      int row = i / 32 % 32 - down;
      int x = i % 32;
      int column = (flip ? 31 - x : x) - right;
      boolean inside = row >= 0 && row < 32 && column >= 0 && column < 32;
      if (changed[i] != (inside ? original[c * 1024 + row * 32 + column] : 0f)) {
        return false;
      }
    }
    return true;
  }

  @Test
  void normalizationGivesMeanZeroAndVarianceOnePerChannel() {
    byte[] pixels = new byte[4 * 3 * 5];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * i * 7);
    }
    Images images = new Images(pixels, new byte[4], 3, 1, 5);
    BatchReader reader =
        BatchReader.validation(new Dataset("d", "s", "x", images, images, null), 4);
    reader.read(new int[] {0, 1, 2, 3}, 0);
    float[] values = floats(reader.inputs());
    for (int c = 0; c < 3; c++) {
      double sum = 0;
      double squares = 0;
      for (int i = 0; i < values.length; i++) {
        if (i / 5 % 3 == c) {
          sum += values[i];
          squares += values[i] * values[i];
        }
      }
      assertThat(sum / 20).isCloseTo(0, within(1e-6));
      assertThat(squares / 20).isCloseTo(1, within(1e-6));
    }
  }

  private static float[] floats(java.nio.ByteBuffer bytes) {
    FloatBuffer view = bytes.order(java.nio.ByteOrder.nativeOrder()).asFloatBuffer();
    float[] values = new float[view.remaining()];
    view.get(values);
    return values;
  }
}
