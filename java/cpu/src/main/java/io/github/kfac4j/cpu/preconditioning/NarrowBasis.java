package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;

/** A gradient into a Kronecker basis and back, in fp32. */
final class NarrowBasis {
  private final Basis gBasis;
  private final Basis aBasis;
  private final int groups;
  private final int rows;
  private final int cols;
  private final Arena shared;
  private Floats current;
  private Floats other;

  /**
   * A change of basis with memory of its own.
   *
   * @param gBasis of the rows, null for the identity
   * @param aBasis of the columns, null for the identity
   */
  NarrowBasis(Basis gBasis, Basis aBasis, int groups, int rows, int cols, Arena shared) {
    this.gBasis = gBasis;
    this.aBasis = aBasis;
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.shared = shared;
    this.current = shared.take((long) groups * rows * cols);
  }

  /** {@code [groups, rows, cols]}: what was formed last, at first dW, to be put there. */
  Floats coefficients() {
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
    void add(BasisMatrix q, int k, List<Gemm> first, List<Gemm> second);
  }

  private void add(Stages plan, Basis basis, Side side) {
    if (!basis.isReflected() && other == null) {
      other = shared.take((long) groups * rows * cols);
    }
    List<Gemm> first = new ArrayList<>();
    List<Gemm> second = new ArrayList<>();
    for (int k = 0; k < groups; k++) {
      side.add(BasisMatrix.of(basis, k), k, first, second);
    }
    plan.add(first);
    if (basis.isReflected()) {
      plan.add(second);
    } else {
      Floats swap = current;
      current = other;
      other = swap;
    }
  }

  private void left(BasisMatrix q, int k, boolean forward, List<Gemm> first, List<Gemm> second) {
    Floats at = current.plus(start(k));
    if (!q.isReflected()) {
      Floats y = other.plus(start(k));
      first.add(Gemm.of(forward, false, rows, cols, rows, q.first(), rows, at, cols, y, cols));
      return;
    }
    int r = q.r();
    Floats inner = forward ? q.first() : q.second();
    Floats outer = forward ? q.second() : q.first();
    Floats small = shared.take((long) r * cols);
    first.add(Gemm.of(true, false, r, cols, rows, inner, r, at, cols, small, cols));
    second.add(new Gemm(false, false, rows, cols, r, -1, outer, r, small, cols, 1, at, cols));
  }

  private void right(BasisMatrix q, int k, boolean forward, List<Gemm> first, List<Gemm> second) {
    Floats at = current.plus(start(k));
    if (!q.isReflected()) {
      Floats y = other.plus(start(k));
      first.add(Gemm.of(false, !forward, rows, cols, cols, at, cols, q.first(), cols, y, cols));
      return;
    }
    int r = q.r();
    Floats inner = forward ? q.first() : q.second();
    Floats outer = forward ? q.second() : q.first();
    Floats small = shared.take((long) rows * r);
    first.add(Gemm.of(false, false, rows, r, cols, at, cols, inner, r, small, r));
    second.add(new Gemm(false, true, rows, cols, r, -1, small, r, outer, r, 1, at, cols));
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }
}
