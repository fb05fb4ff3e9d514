package io.github.kfac4j;

/**
 * What happens when a damped factor cannot be inverted. In this order: the damping of the factor is
 * raised; then the inversion is repeated in fp64 at the damping asked for; then the last good
 * inverse is kept; and when that has been so {@code maxStale} times in a row, or there is no good
 * inverse yet, {@link InversionFailedException} is thrown. Every decision is in the {@link
 * LayerReport}.
 *
 * @param escalations how often the damping is raised, 0 for never
 * @param factor by which it is raised each time, greater than 1
 * @param maxStale how many refreshes in a row may go on with an old inverse
 */
public record InversePolicy(int escalations, double factor, int maxStale) {
  /** Raise twice by 10, go on for three refreshes with an old inverse. */
  public static final InversePolicy DEFAULT = new InversePolicy(2, 10, 3);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a count is negative or the factor is not greater than 1
   */
  public InversePolicy {
    if (escalations < 0 || maxStale < 0 || !(factor > 1) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          "escalations and maxStale must not be negative and factor must be greater than 1, but are %d, %d, %s"
              .formatted(escalations, maxStale, factor));
    }
  }
}
