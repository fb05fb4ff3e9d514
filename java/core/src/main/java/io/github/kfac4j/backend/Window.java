package io.github.kfac4j.backend;

/**
 * How a convolution's kernel slides over an image. Padding is zeros, the same on both sides of a
 * dimension.
 */
public record Window(
    int kernelHeight,
    int kernelWidth,
    int strideHeight,
    int strideWidth,
    int paddingHeight,
    int paddingWidth,
    int dilationHeight,
    int dilationWidth) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException unless kernel, stride and dilation are positive and padding is
   *     not negative
   */
  public Window {
    requirePositive("kernel", kernelHeight, kernelWidth);
    requirePositive("stride", strideHeight, strideWidth);
    requirePositive("dilation", dilationHeight, dilationWidth);
    if (paddingHeight < 0 || paddingWidth < 0) {
      throw new IllegalArgumentException(
          "padding must not be negative but is " + paddingHeight + " x " + paddingWidth);
    }
  }

  /** A window of stride 1 and dilation 1 without padding. */
  public static Window of(int kernelHeight, int kernelWidth) {
    return new Window(kernelHeight, kernelWidth, 1, 1, 0, 0, 1, 1);
  }

  /** The same window with another stride. */
  public Window withStride(int height, int width) {
    return new Window(
        kernelHeight,
        kernelWidth,
        height,
        width,
        paddingHeight,
        paddingWidth,
        dilationHeight,
        dilationWidth);
  }

  /** The same window with another padding. */
  public Window withPadding(int height, int width) {
    return new Window(
        kernelHeight,
        kernelWidth,
        strideHeight,
        strideWidth,
        height,
        width,
        dilationHeight,
        dilationWidth);
  }

  /** The same window with another dilation. */
  public Window withDilation(int height, int width) {
    return new Window(
        kernelHeight,
        kernelWidth,
        strideHeight,
        strideWidth,
        paddingHeight,
        paddingWidth,
        height,
        width);
  }

  /** Output rows for an input of {@code height} rows; not positive if the kernel does not fit. */
  public int outputHeight(int height) {
    return positions(height, kernelHeight, strideHeight, paddingHeight, dilationHeight);
  }

  /** Output columns for an input of {@code width} columns; not positive if it does not fit. */
  public int outputWidth(int width) {
    return positions(width, kernelWidth, strideWidth, paddingWidth, dilationWidth);
  }

  private static int positions(int size, int kernel, int stride, int padding, int dilation) {
    return Math.floorDiv(size + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1;
  }

  private static void requirePositive(String what, int height, int width) {
    if (height <= 0 || width <= 0) {
      throw new IllegalArgumentException(
          what + " must be positive but is " + height + " x " + width);
    }
  }
}
