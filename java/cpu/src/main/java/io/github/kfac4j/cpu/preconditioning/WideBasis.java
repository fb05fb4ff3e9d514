package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;

/** A gradient into a Kronecker basis and back, in fp64. */
final class WideBasis {
  private final Basis gBasis;
  private final Basis aBasis;
  private final int groups;
  private final int rows;
  private final int cols;
  private final Arena shared;
  private Doubles current;
  private Doubles other;

  /**
   * A change of basis with memory of its own.
   *
   * @param gBasis of the rows, null for the identity
   * @param aBasis of the columns, null for the identity
   */
  WideBasis(Basis gBasis, Basis aBasis, int groups, int rows, int cols, Arena shared) {
    this.gBasis = gBasis;
    this.aBasis = aBasis;
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.shared = shared;
    this.current = shared.takeDoubles((long) groups * rows * cols);
  }

  /** {@code [groups, rows, cols]}: what was formed last, at first dW, to be put there. */
  Doubles coefficients() {
    return current;
  }

  /** Appends {@code Qg' X Qa}. */
  void addForward(Stages plan) {
    addBoth(plan, true);
  }

  /** Appends {@code Qg X Qa'}. */
  void addBack(Stages plan) {
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
    void add(BasisMatrix q, int k, List<WideGemm> first, List<WideGemm> second);
  }

  private void add(Stages plan, Basis basis, Side side) {
    if (!basis.isReflected() && other == null) {
      other = shared.takeDoubles((long) groups * rows * cols);
    }
    List<WideGemm> first = new ArrayList<>();
    List<WideGemm> second = new ArrayList<>();
    for (int k = 0; k < groups; k++) {
      side.add(BasisMatrix.of(basis, k), k, first, second);
    }
    plan.add(first);
    if (basis.isReflected()) {
      plan.add(second);
    } else {
      Doubles swap = current;
      current = other;
      other = swap;
    }
  }

  private void left(
      BasisMatrix q, int k, boolean forward, List<WideGemm> first, List<WideGemm> second) {
    Doubles at = current.plus(start(k));
    Wide x = Wide.of(at, cols);
    if (!q.isReflected()) {
      Doubles y = other.plus(start(k));
      first.add(new WideGemm(forward, false, rows, cols, rows, 1, q.wideFirst(), x, y, cols));
      return;
    }
    Wide inner = forward ? q.wideFirst() : q.wideSecond();
    Wide outer = forward ? q.wideSecond() : q.wideFirst();
    Doubles small = shared.takeDoubles((long) q.r() * cols);
    Wide onSmall = Wide.of(small, cols);
    first.add(new WideGemm(true, false, q.r(), cols, rows, 1, inner, x, small, cols));
    second.add(new WideGemm(false, false, rows, cols, q.r(), -1, outer, onSmall, at, cols, 1));
  }

  private void right(
      BasisMatrix q, int k, boolean forward, List<WideGemm> first, List<WideGemm> second) {
    Doubles at = current.plus(start(k));
    Wide x = Wide.of(at, cols);
    if (!q.isReflected()) {
      Doubles y = other.plus(start(k));
      first.add(new WideGemm(false, !forward, rows, cols, cols, 1, x, q.wideFirst(), y, cols));
      return;
    }
    Wide inner = forward ? q.wideFirst() : q.wideSecond();
    Wide outer = forward ? q.wideSecond() : q.wideFirst();
    Doubles small = shared.takeDoubles((long) rows * q.r());
    Wide onSmall = Wide.of(small, q.r());
    first.add(new WideGemm(false, false, rows, q.r(), cols, 1, x, inner, small, q.r()));
    second.add(new WideGemm(false, true, rows, cols, q.r(), -1, onSmall, outer, at, cols, 1));
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }
}
