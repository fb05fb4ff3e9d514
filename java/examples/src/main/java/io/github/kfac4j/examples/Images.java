package io.github.kfac4j.examples;

import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Images of Fashion-MNIST, the data of all examples but the transformer's.
 *
 * @param pixels of images of one channel, {@link #SIZE} x {@link #SIZE}, one after another
 * @param classes of the images, 0 to 9
 */
record Images(float[] pixels, float[] classes) {
  static final int SIZE = 28;
  static final int CLASSES = 10;

  private static final int PIXELS = SIZE * SIZE;
  private static final Dataset DATA = Datasets.load(DatasetName.FASHION_MNIST, Optional.empty());

  /** The first images to train on. */
  static Images training(int count) {
    return read(BatchReader.training(DATA, count, false, 1), count);
  }

  /** The first images to look at after training. */
  static Images validation(int count) {
    return read(BatchReader.validation(DATA, count), count);
  }

  private static Images read(BatchReader reader, int count) {
    reader.read(IntStream.range(0, count).toArray(), 0);
    float[] pixels = new float[count * PIXELS];
    float[] classes = new float[count];
    reader.inputs().asFloatBuffer().get(pixels);
    reader.labels().asFloatBuffer().get(classes);
    return new Images(pixels, classes);
  }

  int count() {
    return classes.length;
  }

  /** The batch of a step, epochs one after another. */
  Images batch(int step, int size) {
    int start = step * size % (count() / size * size);
    return new Images(
        Arrays.copyOfRange(pixels, start * PIXELS, (start + size) * PIXELS),
        Arrays.copyOfRange(classes, start, start + size));
  }
}
