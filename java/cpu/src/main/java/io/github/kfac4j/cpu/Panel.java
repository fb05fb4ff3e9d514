package io.github.kfac4j.cpu;

/**
 * Some samples as a matrix: {@code count} vectors X of {@code width} coordinates.
 *
 * @param data the elements
 * @param stride from one row of the data to the next
 * @param byCoordinate whether the rows of the data are the coordinates, {@code [width, count]},
 *     rather than the vectors, {@code [count, width]}
 * @param count vectors
 * @param width coordinates
 */
record Panel(Floats data, int stride, boolean byCoordinate, int count, int width) {

  /** A copy in fp64. */
  WidePanel widen(Arena scratch) {
    int rows = byCoordinate ? width : count;
    int columns = byCoordinate ? count : width;
    Wide copy = Wide.of(data, stride).block(0, 0, rows, columns, scratch);
    return new WidePanel(copy.whole(), copy.stride(), byCoordinate, count, width);
  }

  /** {@code C = alpha X'Y + beta C}. */
  void timesTransposed(Panel y, float alpha, float beta, Floats c, int ldc) {
    Blas.gemm(
        !byCoordinate,
        y.byCoordinate,
        width,
        y.width,
        count,
        alpha,
        data,
        stride,
        y.data,
        y.stride,
        beta,
        c,
        ldc);
  }

  /** The product {@code C = X Q} with Q width x width and C count x width. */
  Gemm times(Floats q, Floats c) {
    return Gemm.of(byCoordinate, false, count, width, width, data, stride, q, width, c, width);
  }

  /** Some of the vectors. */
  Panel part(int first, int length) {
    Floats start = data.plus(byCoordinate ? first : (long) first * stride);
    return new Panel(start, stride, byCoordinate, length, width);
  }
}
