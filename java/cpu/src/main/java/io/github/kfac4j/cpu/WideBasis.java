package io.github.kfac4j.cpu;

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

  /** {@code [groups, rows, cols]}: what was formed last. */
  Doubles coefficients() {
    return current;
  }

  /** Appends {@code Qg' dW Qa}. */
  void addForward(Stages plan, GradientMatrix gradient) {
    if (gBasis == null) {
      Doubles copy = current;
      plan.add(gradient.tasks(), task -> gradient.copyTo(copy, task));
    } else {
      List<WideGemm> left = new ArrayList<>();
      for (int k = 0; k < groups; k++) {
        gradient.wideLeftProducts(left, Wide.of(gBasis, k), k, current.plus(start(k)));
      }
      plan.add(left);
    }
    if (aBasis != null) {
      addRight(plan, false);
    }
  }

  /** Appends {@code Qg X Qa'}. */
  void addBack(Stages plan) {
    if (gBasis != null) {
      List<WideGemm> left = new ArrayList<>();
      for (int k = 0; k < groups; k++) {
        Wide x = Wide.of(current.plus(start(k)), cols);
        Doubles y = other.plus(start(k));
        left.add(new WideGemm(false, false, rows, cols, rows, 1, Wide.of(gBasis, k), x, y, cols));
      }
      plan.add(left);
      swap();
    }
    if (aBasis != null) {
      addRight(plan, true);
    }
  }

  private long start(int group) {
    return (long) group * rows * cols;
  }

  private void addRight(Stages plan, boolean transpose) {
    List<WideGemm> right = new ArrayList<>();
    for (int k = 0; k < groups; k++) {
      Wide x = Wide.of(current.plus(start(k)), cols);
      Doubles y = other.plus(start(k));
      right.add(
          new WideGemm(false, transpose, rows, cols, cols, 1, x, Wide.of(aBasis, k), y, cols));
    }
    plan.add(right);
    swap();
  }

  private void swap() {
    Doubles swap = current;
    current = other;
    other = swap;
  }
}
