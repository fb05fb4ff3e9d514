package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Samples;

/**
 * A use of a layer whose gradient is a sum of outer products: that of example n is the sum over
 * positions t of {@code g_nt a_nt'}, group by group.
 *
 * @param a the vectors of the factor A, the bias coordinate last
 * @param g the vectors of the factor G
 */
public record Vectors(Samples a, Samples g) implements Use {
  /**
   * Checks that both were seen at the same places.
   *
   * @throws IllegalArgumentException if numbers of examples or positions differ
   */
  public Vectors {
    if (a.examples() != g.examples() || a.positions() != g.positions()) {
      throw new IllegalArgumentException(
          "an input of shape %s gives %d examples of %d positions, but the output gradient of shape %s has %d of %d"
              .formatted(
                  a.data().shape(),
                  a.examples(),
                  a.positions(),
                  g.data().shape(),
                  g.examples(),
                  g.positions()));
    }
  }

  @Override
  public int examples() {
    return a.examples();
  }

  @Override
  public int positions() {
    return a.positions();
  }
}
