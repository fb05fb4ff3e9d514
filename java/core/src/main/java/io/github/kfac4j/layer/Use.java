package io.github.kfac4j.layer;

/** One use of a layer in a pass, as what curvature is made of. */
public sealed interface Use permits Vectors, Tokens, Separated {
  /** Examples N. */
  int examples();

  /** Positions T at which each example passed through the layer. */
  int positions();
}
