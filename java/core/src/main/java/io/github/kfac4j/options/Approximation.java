package io.github.kfac4j.options;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a layer's Fisher block is approximated by. */
public enum Approximation {
  /** A Kronecker product of two factors (Martens and Grosse 2015). */
  KRONECKER(false, Rows.IN_PLACE, DampingMode.FACTORED, DampingMode.EXACT),
  /**
   * A diagonal in the eigenbasis of the factors, measured on per-example gradients (EKFAC, George
   * et al. 2018).
   */
  EKFAC(true, Rows.BY_EXAMPLE, DampingMode.EXACT),
  /** A diagonal in the basis of the weights. */
  DIAGONAL(false, Rows.BY_EXAMPLE, DampingMode.EXACT),
  /**
   * A Kronecker product of three factors, for a fully connected layer behind a feature map (Ba et
   * al. 2017).
   */
  DOUBLY_FACTORED(false, Rows.REARRANGED, DampingMode.FACTORED);

  /** How it takes the rows of a batch, and with them gradients of parameters. */
  public enum Rows {
    /** As they lie. */
    IN_PLACE,
    /** As they lie, where those of one example lie together. */
    BY_EXAMPLE,
    /** After the data was rearranged in host memory. */
    REARRANGED
  }

  private final boolean measuresBetweenRefreshes;
  private final Rows rows;
  private final Set<DampingMode> dampingModes;

  Approximation(boolean measuresBetweenRefreshes, Rows rows, DampingMode... dampingModes) {
    this.rows = rows;
    this.measuresBetweenRefreshes = measuresBetweenRefreshes;
    this.dampingModes = Collections.unmodifiableSet(EnumSet.copyOf(List.of(dampingModes)));
  }

  /** How it takes the rows of a batch. */
  public Rows rows() {
    return rows;
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
