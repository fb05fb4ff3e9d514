package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.openblas.DoubleBlas;

/** Some samples as a matrix of fp64, like {@link Panel}. */
public record WidePanel(Doubles data, int stride, boolean byCoordinate, int count, int width) {

  /** Some of the vectors. */
  public WidePanel part(int first, int length) {
    Doubles start = data.plus(byCoordinate ? first : (long) first * stride);
    return new WidePanel(start, stride, byCoordinate, length, width);
  }

  /** Lower triangle of {@code C = X'X + beta C}. */
  public void square(double beta, Doubles c, int ldc) {
    DoubleBlas.syrk(!byCoordinate, width, count, data, stride, beta, c, ldc);
  }

  /** {@code C = X'Y + beta C}. */
  public void timesTransposed(WidePanel y, double beta, Doubles c, int ldc) {
    DoubleBlas.gemm(
        !byCoordinate,
        y.byCoordinate,
        width,
        y.width,
        count,
        1,
        data,
        stride,
        y.data,
        y.stride,
        beta,
        c,
        ldc);
  }
}
