package io.github.kfac4j;

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
  DIAGONAL
}
