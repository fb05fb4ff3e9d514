package io.github.kfac4j.options;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a layer's Fisher block is approximated by. */
public enum Approximation {
  /** A Kronecker product of two factors (Martens and Grosse 2015). */
  KRONECKER(false, DampingMode.FACTORED, DampingMode.EXACT),
  /**
   * A diagonal in the eigenbasis of the factors, measured on per-example gradients (EKFAC, George
   * et al. 2018).
   */
  EKFAC(true, DampingMode.EXACT),
  /** A diagonal in the basis of the weights. */
  DIAGONAL(false, DampingMode.EXACT),
  /**
   * A Kronecker product of three factors, for a fully connected layer behind a feature map (Ba et
   * al. 2017).
   */
  DOUBLY_FACTORED(false, DampingMode.FACTORED);

  private final boolean measuresBetweenRefreshes;
  private final Set<DampingMode> dampingModes;

  Approximation(boolean measuresBetweenRefreshes, DampingMode... dampingModes) {
    this.measuresBetweenRefreshes = measuresBetweenRefreshes;
    this.dampingModes = Collections.unmodifiableSet(EnumSet.copyOf(List.of(dampingModes)));
  }

  /** The damping modes that go with it. */
  public Set<DampingMode> dampingModes() {
    return dampingModes;
  }

  /**
   * Whether it measures moments in a basis that comes from the running averages, so that it needs
   * observations between refreshes, and its statistics cannot be made apart from the averages.
   */
  public boolean measuresBetweenRefreshes() {
    return measuresBetweenRefreshes;
  }
}
