package io.github.kfac4j.layer;

import io.github.kfac4j.backend.RowSamples;

/**
 * A use of an {@link Embedding} as a table: the one-hot inputs as the rows they pick.
 *
 * @param ids one for each example and position
 * @param g gradients with respect to the embedded vectors
 */
public record Tokens(int[] ids, RowSamples g) implements Use {
  @Override
  public int examples() {
    return g.examples();
  }

  @Override
  public int positions() {
    return g.positions();
  }
}
