package io.github.kfac4j.layer;

/** One use of a layer in a pass, as what curvature is made of. */
public sealed interface Use permits Vectors, Tokens, Separated {
  /** Examples N. */
  int examples();

  /** Positions T at which each example passed through the layer: rows / N. */
  int positions();

  /**
   * The same rows as those of another number of examples.
   *
   * @throws IllegalArgumentException if the number does not divide that of the rows
   */
  Use of(int examples);
}
