package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;

/**
 * Products with one basis in fp64, by the thread that asks for them. A basis of columns leaves them
 * elsewhere, one of reflections in place.
 *
 * @param first Q, or V
 * @param second W, or null
 */
public record WideRotation(int n, int r, Wide first, Wide second) {
  /** A basis; null, for the identity, of null. */
  public static WideRotation of(BasisMatrix basis) {
    if (basis == null) {
      return null;
    }
    Wide second = basis.isReflected() ? basis.wideSecond() : null;
    return new WideRotation(basis.n(), basis.r(), basis.wideFirst(), second);
  }

  /** With its elements in fp64, in scratch memory, where they are few enough. */
  public WideRotation expanded(long most, Arena scratch) {
    int width = second == null ? n : r;
    if ((long) n * width > most) {
      return this;
    }
    Wide w = second == null ? null : second.block(0, 0, n, width, scratch);
    return new WideRotation(n, r, first.block(0, 0, n, width, scratch), w);
  }

  /** {@code X Q} for X {@code rows x n}, in the place of X or in other room; where it is. */
  public Doubles right(int rows, Doubles x, Doubles room, Arena scratch) {
    if (second == null) {
      run(new WideGemm(false, false, rows, n, n, 1, Wide.of(x, n), first, room, n), scratch);
      return room;
    }
    long mark = scratch.mark();
    Doubles small = scratch.takeDoubles((long) rows * r);
    run(new WideGemm(false, false, rows, r, n, 1, Wide.of(x, n), first, small, r), scratch);
    run(new WideGemm(false, true, rows, n, r, -1, Wide.of(small, r), second, x, n, 1), scratch);
    scratch.reset(mark);
    return x;
  }

  /** {@code Q'X} for X {@code n x cols}, likewise. */
  public Doubles leftTransposed(int cols, Doubles x, Doubles room, Arena scratch) {
    if (second == null) {
      run(new WideGemm(true, false, n, cols, n, 1, first, Wide.of(x, cols), room, cols), scratch);
      return room;
    }
    long mark = scratch.mark();
    Doubles small = scratch.takeDoubles((long) r * cols);
    run(new WideGemm(true, false, r, cols, n, 1, first, Wide.of(x, cols), small, cols), scratch);
    run(
        new WideGemm(false, false, n, cols, r, -1, second, Wide.of(small, cols), x, cols, 1),
        scratch);
    scratch.reset(mark);
    return x;
  }

  private static void run(WideGemm product, Arena scratch) {
    for (int tile = 0; tile < product.tiles(); tile++) {
      product.run(tile, scratch);
    }
  }
}
