package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.cpu.scheduling.Product;

/**
 * A product {@code C = alpha op(A) op(B) + beta C} that is cut into tiles if it is large.
 *
 * @param m rows of op(A) and C
 * @param n columns of op(B) and C
 * @param k columns of op(A), rows of op(B)
 */
public record Gemm(
    boolean transposeA,
    boolean transposeB,
    int m,
    int n,
    int k,
    float alpha,
    Floats a,
    int lda,
    Floats b,
    int ldb,
    float beta,
    Floats c,
    int ldc)
    implements Product {

  private static final int TILE_ROWS = 256;
  private static final int TILE_COLUMNS = 512;

  /** {@code C = op(A) op(B)}. */
  public static Gemm of(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      Floats a,
      int lda,
      Floats b,
      int ldb,
      Floats c,
      int ldc) {
    return new Gemm(transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
  }

  @Override
  public double work() {
    return (double) m * n * k;
  }

  @Override
  public int tiles() {
    return ceilDiv(m, TILE_ROWS) * ceilDiv(n, TILE_COLUMNS);
  }

  @Override
  public void run(int tile, Arena scratch) {
    int across = ceilDiv(n, TILE_COLUMNS);
    int down = ceilDiv(m, TILE_ROWS);
    int i = (int) ((long) m * (tile / across) / down);
    int iEnd = (int) ((long) m * (tile / across + 1) / down);
    int j = (int) ((long) n * (tile % across) / across);
    int jEnd = (int) ((long) n * (tile % across + 1) / across);
    Blas.gemm(
        transposeA,
        transposeB,
        iEnd - i,
        jEnd - j,
        k,
        alpha,
        a.plus(transposeA ? i : (long) i * lda),
        lda,
        b.plus(transposeB ? (long) j * ldb : j),
        ldb,
        beta,
        c.plus((long) i * ldc + j),
        ldc);
  }

  private static int ceilDiv(int a, int b) {
    return (a + b - 1) / b;
  }
}
