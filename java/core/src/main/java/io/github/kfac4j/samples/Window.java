package io.github.kfac4j.samples;

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
  /** The most rows and columns that an image may have with its padding, on every backend. */
  public static final int LARGEST_EXTENT = 1 << 27;

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

  /**
   * Output rows for an input of {@code height} rows; 0 if the kernel does not fit.
   *
   * @throws IllegalArgumentException if the padded image has more than {@link #LARGEST_EXTENT}
   */
  public int outputHeight(int height) {
    return outputs("rows", height, kernelHeight, strideHeight, paddingHeight, dilationHeight);
  }

  /**
   * Output columns for an input of {@code width} columns; 0 if the kernel does not fit.
   *
   * @throws IllegalArgumentException if the padded image has more than {@link #LARGEST_EXTENT}
   */
  public int outputWidth(int width) {
    return outputs("columns", width, kernelWidth, strideWidth, paddingWidth, dilationWidth);
  }

  private static int outputs(
      String what, int size, int kernel, int stride, int padding, int dilation) {
    long padded = size + 2L * padding;
    if (padded > LARGEST_EXTENT) {
      throw new IllegalArgumentException(
          "images of %d %s with a padding of %d on both sides have %d, and at most %d are possible"
              .formatted(size, what, padding, padded, LARGEST_EXTENT));
    }
    long reach = dilation * (kernel - 1L) + 1;
    return reach > padded ? 0 : (int) ((padded - reach) / stride) + 1;
  }

  /**
   * The window with the same patches of such images in which what has no effect is small: strides
   * of a single output and dilations of a single element. So no number is larger than the padded
   * image.
   *
   * <p>The kernel must fit into the image.
   *
   * @throws IllegalArgumentException if the padded image has more than {@link #LARGEST_EXTENT} rows
   *     or columns
   */
  public Window on(int height, int width) {
    int rows = outputHeight(height);
    int columns = outputWidth(width);
    return new Window(
        kernelHeight,
        kernelWidth,
        rows == 1 ? oneStep(height, kernelHeight, paddingHeight, dilationHeight) : strideHeight,
        columns == 1 ? oneStep(width, kernelWidth, paddingWidth, dilationWidth) : strideWidth,
        paddingHeight,
        paddingWidth,
        kernelHeight == 1 ? 1 : dilationHeight,
        kernelWidth == 1 ? 1 : dilationWidth);
  }

  /** The smallest stride that leaves a single output. */
  private static int oneStep(int size, int kernel, int padding, int dilation) {
    return size + 2 * padding - dilation * (kernel - 1); // within the padded image
  }

  private static void requirePositive(String what, int height, int width) {
    if (height <= 0 || width <= 0) {
      throw new IllegalArgumentException(
          what + " must be positive but is " + height + " x " + width);
    }
  }
}
