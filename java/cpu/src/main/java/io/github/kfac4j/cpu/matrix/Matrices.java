package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Floats;
import java.nio.FloatBuffer;

/** Copies and transpositions of row-major matrices. */
public final class Matrices {
  /** Two blocks of this side fit into the first-level cache. */
  private static final int BLOCK = 32;

  private Matrices() {}

  /** {@code B = A'} with A rows x cols; the two may be parts of one matrix that do not overlap. */
  public static void transpose(Floats a, int lda, int rows, int cols, Floats b, int ldb) {
    FloatBuffer from = a.buffer();
    FloatBuffer to = b.buffer();
    for (int i0 = 0; i0 < rows; i0 += BLOCK) {
      int i1 = Math.min(rows, i0 + BLOCK);
      for (int j0 = 0; j0 < cols; j0 += BLOCK) {
        int j1 = Math.min(cols, j0 + BLOCK);
        for (int j = j0; j < j1; j++) {
          int source = a.start() + j;
          int target = b.start() + j * ldb;
          for (int i = i0; i < i1; i++) {
            to.put(target + i, from.get(source + i * lda));
          }
        }
      }
    }
  }

  /** Copies the lower triangle of an n x n matrix to the upper. */
  public static void mirrorLower(Floats c, int n, int ldc) {
    mirrorRows(c, 0, n, ldc);
  }

  /** Copies what rows [first, last) hold left of the diagonal to its place above. */
  static void mirrorRows(Floats c, int first, int last, int ldc) {
    for (int i0 = first; i0 < last; i0 += BLOCK) {
      int size = Math.min(BLOCK, last - i0);
      transpose(c.plus((long) i0 * ldc), ldc, size, i0, c.plus(i0), ldc);
      mirrorBlock(c, i0, size, ldc);
    }
  }

  /** Copies the lower triangle of a block on the diagonal to its upper. */
  public static void mirrorBlock(Floats c, int first, int size, int ldc) {
    for (int i = first + 1; i < first + size; i++) {
      for (int j = first; j < i; j++) {
        c.put(j * ldc + i, c.get(i * ldc + j));
      }
    }
  }
}
