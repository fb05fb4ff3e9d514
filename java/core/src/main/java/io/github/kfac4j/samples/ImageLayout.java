package io.github.kfac4j.samples;

/** The order of an image batch's dimensions in memory. */
public enum ImageLayout {
  /** Batch, channel, height, width. */
  NCHW,
  /** Batch, height, width, channel. */
  NHWC
}
