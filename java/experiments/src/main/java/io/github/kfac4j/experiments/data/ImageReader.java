package io.github.kfac4j.experiments.data;

import java.nio.FloatBuffer;

/**
 * Images standardised with the statistics of the training images and, if wanted, augmented by a
 * random horizontal flip and a random shift of up to four pixels, padded with the mean colour.
 */
final class ImageReader extends BatchReader {
  private static final int MAX_SHIFT = 4;

  private final Images images;
  private final Normalization normalization;
  private final boolean augment;
  private final long seed;

  ImageReader(
      Images images, Normalization normalization, boolean augment, int batchSize, long seed) {
    super(batchSize, images.imageSize(), 1);
    this.images = images;
    this.normalization = normalization;
    this.augment = augment;
    this.seed = seed;
  }

  @Override
  public BatchReader asBrightness() {
    return new ImageReader(images, Normalization.unit(images), false, batchSize(), seed);
  }

  @Override
  void fill(int[] indices, int start, int end, long step, FloatBuffer pixels, FloatBuffer labels) {
    SplitMix64 random = new SplitMix64(seed, ~step); // apart from the streams of the batch order
    for (int i = 0; i < end; i++) {
      boolean flip = augment && random.nextInt(2) == 1;
      int down = augment ? random.nextInt(2 * MAX_SHIFT + 1) - MAX_SHIFT : 0;
      int right = augment ? random.nextInt(2 * MAX_SHIFT + 1) - MAX_SHIFT : 0;
      if (i < start) {
        continue; // its random numbers are used up
      }
      int index = indices[i];
      for (int c = 0; c < images.channels(); c++) {
        copyChannel(index, c, flip, down, right, pixels);
      }
      labels.put(images.labels()[index]);
    }
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
}
