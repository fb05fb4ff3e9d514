package io.github.kfac4j.testkit.checks;

/** How large the shapes get that are checked. */
public enum Extent {
  /** Matrices up to 130, which takes seconds. */
  SMALL(130),
  /** Up to the layers of the Fashion-MNIST network. */
  USUAL(4000),
  /**
   * Adds the layers and all factors of ResNet-50 and 10,000 small matrices, which takes minutes.
   */
  LARGE(Integer.MAX_VALUE);

  private final int most;

  Extent(int most) {
    this.most = most;
  }

  /** Whether matrices of this size are checked. */
  boolean has(int n) {
    return n <= most;
  }

  /** Whether the layers of the Fashion-MNIST network are checked. */
  boolean networks() {
    return this != SMALL;
  }

  /** Whether the layers of ResNet-50 are checked. */
  boolean large() {
    return this == LARGE;
  }
}
