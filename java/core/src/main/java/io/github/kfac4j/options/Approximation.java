package io.github.kfac4j.options;

import java.util.EnumSet;
import java.util.Set;

/** What a layer's Fisher block is approximated by. */
public enum Approximation {
  /** A Kronecker product of two factors (Martens and Grosse 2015). */
  KRONECKER,
  /**
   * A diagonal in the eigenbasis of the factors, measured on per-example gradients (EKFAC, George
   * et al. 2018).
   */
  EKFAC,
  /** A diagonal in the basis of the weights. */
  DIAGONAL,
  /**
   * A Kronecker product of three factors, for a fully connected layer behind a feature map (Ba et
   * al. 2017).
   */
  DOUBLY_FACTORED;

  /** The damping modes that go with it. */
  public Set<DampingMode> dampingModes() {
    return switch (this) {
      case KRONECKER -> EnumSet.allOf(DampingMode.class);
      case EKFAC, DIAGONAL -> EnumSet.of(DampingMode.EXACT);
      case DOUBLY_FACTORED -> EnumSet.of(DampingMode.FACTORED);
    };
  }
}
