package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;

/**
 * A row-major matrix that a product in fp64 reads: of fp32, the sum of two of fp32, or fp64
 * already.
 *
 * @param first null if it is fp64 already
 * @param rest what {@code first} lacks, or null
 * @param whole null unless it is fp64 already
 * @param stride from one row to the next
 */
public record Wide(Floats first, Floats rest, Doubles whole, int stride) {

  /** A matrix of fp32. */
  public static Wide of(Floats matrix, int stride) {
    return new Wide(matrix, null, null, stride);
  }

  /** A matrix of fp64. */
  public static Wide of(Doubles matrix, int stride) {
    return new Wide(null, null, matrix, stride);
  }

  /** Matrix {@code k} of a stack, with all digits that it has. */
  public static Wide of(CpuMatrixStack stack, int k) {
    return new Wide(stack.matrix(k), stack.rest(k), null, stack.cols());
  }

  /** A block as fp64, in place or in scratch memory. */
  public Wide block(int row, int column, int rows, int columns, Arena scratch) {
    long start = (long) row * stride + column;
    if (whole != null) {
      return of(whole.plus(start), stride);
    }
    Doubles copy = scratch.takeDoubles((long) rows * columns);
    for (int r = 0; r < rows; r++) {
      int from = Math.toIntExact(start + (long) r * stride);
      copy.setScaled(r * columns, first, from, 1, columns);
      if (rest != null) {
        copy.add(r * columns, rest, from, columns);
      }
    }
    return of(copy, columns);
  }
}
