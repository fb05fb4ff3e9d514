package io.github.kfac4j.data;

/**
 * What a backward pass counts for in the statistics of its step. The shares of a step add to 1: one
 * batch in one piece is {@link #ALL}; a micro-batch has {@link #of its part of the examples}; each
 * of several backward passes through one forward pass, as {@link io.github.kfac4j.fisher.Fisher}
 * asks for, {@link #ofPass has the same part} of its forward pass's.
 *
 * @param fraction of the step's examples that the forward pass had, in (0, 1]
 * @param pass the backward pass among those through this forward pass, from 0 and in order
 * @param passes how many these are
 */
public record Share(double fraction, int pass, int passes) {
  /** The whole step. */
  public static final Share ALL = new Share(1, 0, 1);

  /**
   * Checks which pass it is; what the fractions add to is checked where they are observed.
   *
   * @throws IllegalArgumentException if the pass is not one of the passes
   */
  public Share {
    if (pass < 0 || pass >= passes) {
      throw new IllegalArgumentException(
          "passes are counted from 0 to %d, but this is %d".formatted(passes - 1, pass));
    }
  }

  /** The only backward pass through a forward pass with this part of the examples. */
  public static Share of(double fraction) {
    return new Share(fraction, 0, 1);
  }

  /**
   * One of several backward passes through the same forward pass.
   *
   * @throws IllegalArgumentException if the pass is not one of the passes
   */
  public Share ofPass(int index, int count) {
    return new Share(fraction, index, count);
  }

  /** What the pass alone counts for. */
  public double weight() {
    return fraction / passes;
  }
}
