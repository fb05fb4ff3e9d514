package io.github.kfac4j.options;

/** How Tikhonov damping enters the inverse of a layer's Fisher block. */
public enum DampingMode {
  /**
   * Added to the two factors before they are inverted, split by the convention's rule (Martens and
   * Grosse 2015, section 6.3). One Cholesky inversion a factor.
   */
  FACTORED,
  /**
   * Added to the block itself, exactly: the inverse is applied in the eigenbasis of the factors.
   * One eigendecomposition a factor, about ten times the cost.
   */
  EXACT
}
