package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;

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
public record Panel(Floats data, int stride, boolean byCoordinate, int count, int width) {

  /** A copy in fp64. */
  public WidePanel widen(Arena scratch) {
    int rows = byCoordinate ? width : count;
    int columns = byCoordinate ? count : width;
    Wide copy = Wide.of(data, stride).block(0, 0, rows, columns, scratch);
    return new WidePanel(copy.whole(), copy.stride(), byCoordinate, count, width);
  }

  /** A copy in fp64, vector by vector without gaps. */
  public Doubles rows(Arena scratch) {
    Doubles rows = scratch.takeDoubles((long) count * width);
    int fromVector = byCoordinate ? 1 : stride;
    int fromCoordinate = byCoordinate ? stride : 1;
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < width; c++) {
        rows.put(i * width + c, data.get(i * fromVector + c * fromCoordinate));
      }
    }
    return rows;
  }

  /** {@code C = alpha X'Y + beta C}. */
  public void timesTransposed(Panel y, float alpha, float beta, Floats c, int ldc) {
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
  public Gemm times(Floats q, Floats c) {
    return Gemm.of(byCoordinate, false, count, width, width, data, stride, q, width, c, width);
  }

  /** Some of the vectors. */
  public Panel part(int first, int length) {
    Floats start = data.plus(byCoordinate ? first : (long) first * stride);
    return new Panel(start, stride, byCoordinate, length, width);
  }
}
