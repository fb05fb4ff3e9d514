package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.scheduling.Product;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * A gradient into a Kronecker basis and back, in one precision.
 *
 * @param <M> memory of that precision
 * @param <O> a matrix that a product reads
 */
abstract class ChangeOfBasis<M, O> {
  private final Basis gBasis;
  private final Basis aBasis;
  private final int groups;
  private final int rows;
  private final int cols;
  private final LongFunction<M> memory;
  private M current;
  private M other;

  /**
   * A change of basis with memory of its own.
   *
   * @param gBasis of the rows, null for the identity
   * @param aBasis of the columns, null for the identity
   * @param memory takes room for so many elements
   */
  ChangeOfBasis(
      Basis gBasis, Basis aBasis, int groups, int rows, int cols, LongFunction<M> memory) {
    this.gBasis = gBasis;
    this.aBasis = aBasis;
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.memory = memory;
    this.current = memory.apply((long) groups * rows * cols);
  }

  /** The place so many elements further on. */
  abstract M plus(M place, long distance);

  /** Rows that lie without gaps. */
  abstract O operand(M place, int cols);

  /** Q, or V. */
  abstract O first(BasisMatrix q);

  /** W. */
  abstract O second(BasisMatrix q);

  /** {@code C = alpha op(A) op(B) + beta C}, op(A) m x k, op(B) k x n, C without gaps. */
  abstract Product product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      int alpha,
      O a,
      O b,
      int beta,
      M c);

  /** {@code [groups, rows, cols]}: what was formed last, at first dW, to be put there. */
  final M coefficients() {
    return current;
  }

  /** Appends {@code Qg' X Qa}. */
  final void addForward(Stages plan) {
    addBoth(plan, true);
  }

  /** Appends {@code Qg X Qa'}. */
  final void addBack(Stages plan) {
    addBoth(plan, false);
  }

  private void addBoth(Stages plan, boolean forward) {
    if (gBasis != null) {
      add(plan, gBasis, (q, k, first, second) -> left(q, k, forward, first, second));
    }
    if (aBasis != null) {
      add(plan, aBasis, (q, k, first, second) -> right(q, k, forward, first, second));
    }
  }

  /** Adds the one or two products of one group with its basis. */
  private interface Side {
    void add(BasisMatrix q, int k, List<Product> first, List<Product> second);
  }

  /** Products with columns go elsewhere, those with reflections stay in place. */
  private void add(Stages plan, Basis basis, Side side) {
    if (!basis.isReflected() && other == null) {
      other = memory.apply((long) groups * rows * cols);
    }
    List<Product> first = new ArrayList<>();
    List<Product> second = new ArrayList<>();
    for (int k = 0; k < groups; k++) {
      side.add(BasisMatrix.of(basis, k), k, first, second);
    }
    plan.add(first);
    if (basis.isReflected()) {
      plan.add(second);
    } else {
      M swap = current;
      current = other;
      other = swap;
    }
  }

  private void left(
      BasisMatrix q, int k, boolean forward, List<Product> first, List<Product> second) {
    M x = plus(current, start(k));
    O onX = operand(x, cols);
    if (!q.isReflected()) {
      M y = plus(other, start(k));
      first.add(product(forward, false, rows, cols, rows, 1, first(q), onX, 0, y));
      return;
    }
    int r = q.r();
    M small = memory.apply((long) r * cols);
    O inner = forward ? first(q) : second(q);
    O outer = forward ? second(q) : first(q);
    first.add(product(true, false, r, cols, rows, 1, inner, onX, 0, small));
    second.add(product(false, false, rows, cols, r, -1, outer, operand(small, cols), 1, x));
  }

  private void right(
      BasisMatrix q, int k, boolean forward, List<Product> first, List<Product> second) {
    M x = plus(current, start(k));
    O onX = operand(x, cols);
    if (!q.isReflected()) {
      M y = plus(other, start(k));
      first.add(product(false, !forward, rows, cols, cols, 1, onX, first(q), 0, y));
      return;
    }
    int r = q.r();
    M small = memory.apply((long) rows * r);
    O inner = forward ? first(q) : second(q);
    O outer = forward ? second(q) : first(q);
    first.add(product(false, false, rows, r, cols, 1, onX, inner, 0, small));
    second.add(product(false, true, rows, cols, r, -1, operand(small, r), outer, 1, x));
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }
}
