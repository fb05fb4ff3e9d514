package io.github.kfac4j.experiments.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Turns images into the numbers a network sees: standardised with the statistics of the training
 * images and, if wanted, augmented by a random horizontal flip and a random shift of up to four
 * pixels, padded with the mean colour.
 *
 * <p>Both buffers are direct, in native order, and reused: they are valid until the next call.
 */
public final class BatchReader {
  private static final int MAX_SHIFT = 4;

  private final Images images;
  private final Normalization normalization;
  private final boolean augment;
  private final long seed;
  private final ByteBuffer pixels;
  private final ByteBuffer labels;

  private BatchReader(
      Images images, Normalization normalization, boolean augment, int batchSize, long seed) {
    this.images = images;
    this.normalization = normalization;
    this.augment = augment;
    this.seed = seed;
    this.pixels = floats(Math.multiplyExact(batchSize, images.imageSize()));
    this.labels = floats(batchSize);
  }

  private static ByteBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(count, Float.BYTES))
        .order(ByteOrder.nativeOrder());
  }

  /** Reads training batches, augmented, if they are, as a function of seed, step and index. */
  public static BatchReader training(Dataset data, int batchSize, boolean augment, long seed) {
    Images images = data.train();
    return new BatchReader(images, Normalization.of(images), augment, batchSize, seed);
  }

  /** The same images as brightness from 0 to 1, not standardised, never augmented. */
  public BatchReader asBrightness() {
    int batchSize = labels.capacity() / Float.BYTES;
    return new BatchReader(images, Normalization.unit(images), false, batchSize, seed);
  }

  /** Reads validation batches, never augmented. */
  public static BatchReader validation(Dataset data, int batchSize) {
    return evaluation(data, data.validation(), batchSize);
  }

  /** Reads images of a data set, standardised as those of training, never augmented. */
  public static BatchReader evaluation(Dataset data, Images images, int batchSize) {
    return new BatchReader(images, Normalization.of(data.train()), false, batchSize, 0);
  }

  /** Fills the buffers with the images at {@code indices}, in that order. */
  public void read(int[] indices, long step) {
    read(indices, 0, indices.length, step);
  }

  /** Reads a part of a batch, with the pixels that {@link #read(int[], long)} gives for it. */
  public void read(int[] indices, int start, int end, long step) {
    SplitMix64 random = new SplitMix64(seed, ~step); // apart from the streams of the batch order
    FloatBuffer pixelValues = pixels.clear().asFloatBuffer();
    FloatBuffer labelValues = labels.clear().asFloatBuffer();
    for (int i = 0; i < end; i++) {
      boolean flip = augment && random.nextInt(2) == 1;
      int down = augment ? random.nextInt(2 * MAX_SHIFT + 1) - MAX_SHIFT : 0;
      int right = augment ? random.nextInt(2 * MAX_SHIFT + 1) - MAX_SHIFT : 0;
      if (i < start) {
        continue; // its random numbers are used up
      }
      int index = indices[i];
      for (int c = 0; c < images.channels(); c++) {
        copyChannel(index, c, flip, down, right, pixelValues);
      }
      labelValues.put(images.labels()[index]);
    }
    pixels.limit(pixelValues.position() * Float.BYTES);
    labels.limit(labelValues.position() * Float.BYTES);
  }

  private void copyChannel(
      int index, int channel, boolean flip, int down, int right, FloatBuffer out) {
    int height = images.height();
    int width = images.width();
    int plane = (index * images.channels() + channel) * height * width;
    float mean = normalization.mean()[channel];
    float scale = normalization.scale()[channel];
    for (int y = 0; y < height; y++) {
      int row = y - down;
      for (int x = 0; x < width; x++) {
        int column = (flip ? width - 1 - x : x) - right;
        boolean inside = row >= 0 && row < height && column >= 0 && column < width;
        // outside lies the mean colour, zero after standardisation
        out.put(
            inside ? ((images.pixels()[plane + row * width + column] & 0xff) - mean) * scale : 0f);
      }
    }
  }

  /** Values [images, channels, height, width] of the last {@link #read}. */
  public ByteBuffer pixels() {
    return pixels;
  }

  /** Class indices [images], as floats, of the last {@link #read}. */
  public ByteBuffer labels() {
    return labels;
  }
}
