package io.github.kfac4j.layer;

/**
 * What becomes of the positions of a sequence that share one weight (Eschenhagen et al. 2023). Each
 * is exact for a linear network whose loss treats positions in the same way.
 */
public enum WeightSharing {
  /** Positions count like further examples: the loss is a sum over positions. */
  EXPAND,
  /**
   * Inputs are averaged and output gradients added over positions first: the loss sees an average
   * over positions.
   */
  REDUCE
}
