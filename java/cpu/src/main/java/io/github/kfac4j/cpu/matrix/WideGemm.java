package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.openblas.DoubleBlas;
import io.github.kfac4j.cpu.scheduling.Product;

/**
 * A product {@code C = alpha op(A) op(B) + beta C} in fp64, whose operands are expanded block by
 * block.
 *
 * @param m rows of op(A) and C
 * @param n columns of op(B) and C
 * @param k columns of op(A), rows of op(B)
 */
public record WideGemm(
    boolean transposeA,
    boolean transposeB,
    int m,
    int n,
    int k,
    double alpha,
    Wide a,
    Wide b,
    Doubles c,
    int ldc,
    double beta)
    implements Product {

  /** The most of each extent that a block has: 2 MiB of fp64. */
  private static final int SIDE = 512;

  /** {@code C = alpha op(A) op(B)}. */
  public WideGemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      double alpha,
      Wide a,
      Wide b,
      Doubles c,
      int ldc) {
    this(transposeA, transposeB, m, n, k, alpha, a, b, c, ldc, 0);
  }

  @Override
  public double work() {
    return 2.0 * m * n * k; // as many multiplications in fp32 as take the same time
  }

  private static int blocks(int extent) {
    return (extent + SIDE - 1) / SIDE;
  }

  private static int start(int extent, int block) {
    return (int) ((long) extent * block / blocks(extent));
  }

  @Override
  public int tiles() {
    return blocks(m) * blocks(n);
  }

  @Override
  public void run(int tile, Arena scratch) {
    int row = tile / blocks(n);
    int column = tile % blocks(n);
    int i = start(m, row);
    int rows = start(m, row + 1) - i;
    int j = start(n, column);
    int columns = start(n, column + 1) - j;
    for (int block = 0; block < blocks(k); block++) {
      int l = start(k, block);
      int depth = start(k, block + 1) - l;
      long mark = scratch.mark();
      Wide left =
          transposeA ? a.block(l, i, depth, rows, scratch) : a.block(i, l, rows, depth, scratch);
      Wide right =
          transposeB
              ? b.block(j, l, columns, depth, scratch)
              : b.block(l, j, depth, columns, scratch);
      DoubleBlas.gemm(
          transposeA,
          transposeB,
          rows,
          columns,
          depth,
          alpha,
          left.whole(),
          left.stride(),
          right.whole(),
          right.stride(),
          block == 0 ? beta : 1,
          c.plus((long) i * ldc + j),
          ldc);
      scratch.reset(mark);
    }
  }
}
