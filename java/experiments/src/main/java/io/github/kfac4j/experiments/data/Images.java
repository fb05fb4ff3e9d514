package io.github.kfac4j.experiments.data;

/**
 * Labelled images as stored in the data files, one byte per value.
 *
 * @param pixels row-major [count, channels, height, width], 0 to 255 as unsigned bytes
 * @param labels one class index per image
 * @param channels 1 for grey, 3 for red, green, blue
 * @param height rows
 * @param width columns
 */
public record Images(byte[] pixels, byte[] labels, int channels, int height, int width)
    implements Examples {

  /** Number of classes; the same for every data set here. */
  public static final int CLASSES = 10;

  /** Checks that pixels and labels agree. */
  public Images {
    if (pixels.length != (long) labels.length * channels * height * width) {
      throw new IllegalArgumentException(
          "%d bytes of pixels for %d images of %dx%dx%d"
              .formatted(pixels.length, labels.length, channels, height, width));
    }
  }

  @Override
  public int count() {
    return labels.length;
  }

  /** Values per image. */
  public int imageSize() {
    return channels * height * width;
  }

  @Override
  public long[] shape() {
    return new long[] {channels, height, width};
  }

  @Override
  public int classes() {
    return CLASSES;
  }

  @Override
  public String unit() {
    return "images";
  }

  @Override
  public Images first(int number) {
    return slice(0, number);
  }

  /** Copies images {@code from} (inclusive) to {@code to} (exclusive). */
  Images slice(int from, int to) {
    byte[] slicePixels = new byte[(to - from) * imageSize()];
    System.arraycopy(pixels, from * imageSize(), slicePixels, 0, slicePixels.length);
    byte[] sliceLabels = new byte[to - from];
    System.arraycopy(labels, from, sliceLabels, 0, sliceLabels.length);
    return new Images(slicePixels, sliceLabels, channels, height, width);
  }
}
