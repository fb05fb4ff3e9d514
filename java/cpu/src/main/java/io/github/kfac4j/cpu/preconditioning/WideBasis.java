package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;

/** A gradient into a Kronecker basis and back, in fp64. */
final class WideBasis {
  private final CpuMatrixStack gBasis;
  private final CpuMatrixStack aBasis;
  private final int groups;
  private final int rows;
  private final int cols;
  private Doubles current;
  private Doubles other;

  /**
   * A change of basis with memory of its own.
   *
   * @param gBasis {@code [groups, rows, rows]}, null for the identity
   * @param aBasis {@code [groups, cols, cols]}, null for the identity
   */
  WideBasis(
      CpuMatrixStack gBasis, CpuMatrixStack aBasis, int groups, int rows, int cols, Arena shared) {
    this.gBasis = gBasis;
    this.aBasis = aBasis;
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.current = shared.takeDoubles((long) groups * rows * cols);
    this.other = shared.takeDoubles((long) groups * rows * cols);
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
      List<WideGemm> left = new ArrayList<>();
      for (int k = 0; k < groups; k++) {
        Wide q = Wide.of(gBasis, k);
        Wide x = Wide.of(current.plus(start(k)), cols);
        Doubles y = other.plus(start(k));
        left.add(new WideGemm(forward, false, rows, cols, rows, 1, q, x, y, cols));
      }
      plan.add(left);
      swap();
    }
    if (aBasis != null) {
      List<WideGemm> right = new ArrayList<>();
      for (int k = 0; k < groups; k++) {
        Wide q = Wide.of(aBasis, k);
        Wide x = Wide.of(current.plus(start(k)), cols);
        Doubles y = other.plus(start(k));
        right.add(new WideGemm(false, !forward, rows, cols, cols, 1, x, q, y, cols));
      }
      plan.add(right);
      swap();
    }
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }

  private void swap() {
    Doubles swap = current;
    current = other;
    other = swap;
  }
}
