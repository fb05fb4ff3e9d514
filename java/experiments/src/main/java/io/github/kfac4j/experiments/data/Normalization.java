package io.github.kfac4j.experiments.data;

import java.util.Arrays;

/**
 * Per-channel standardisation: value = (byte - mean) * scale.
 *
 * @param mean mean of the bytes of each channel
 * @param scale one over their standard deviation
 */
record Normalization(float[] mean, float[] scale) {

  /** Brightness from 0 to 1. */
  static Normalization unit(Images images) {
    float[] scale = new float[images.channels()];
    Arrays.fill(scale, 1 / 255f);
    return new Normalization(new float[images.channels()], scale);
  }

  /** Fits mean 0 and variance 1 on {@code images}. */
  static Normalization of(Images images) {
    int channels = images.channels();
    int plane = images.height() * images.width();
    float[] mean = new float[channels];
    float[] scale = new float[channels];
    for (int c = 0; c < channels; c++) {
      long sum = 0;
      long squares = 0;
      for (int i = 0; i < images.count(); i++) {
        int from = (i * channels + c) * plane;
        for (int k = from; k < from + plane; k++) {
          int value = images.pixels()[k] & 0xff;
          sum += value;
          squares += value * value;
        }
      }
      double n = (double) images.count() * plane;
      double average = sum / n;
      double variance = squares / n - average * average;
      mean[c] = (float) average;
      scale[c] = variance > 0 ? (float) (1 / Math.sqrt(variance)) : 1f;
    }
    return new Normalization(mean, scale);
  }
}
