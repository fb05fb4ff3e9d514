package io.github.kfac4j.layer;

import io.github.kfac4j.samples.RowSamples;

/**
 * A use of an {@link Embedding} as a table: the one-hot inputs as the rows they pick.
 *
 * @param ids one for each example and position
 * @param g gradients with respect to the embedded vectors
 * @param examples N
 */
public record Tokens(int[] ids, RowSamples g, int examples) implements Use {
  @Override
  public int positions() {
    return Batches.positions(g.rows(), examples);
  }

  @Override
  public Tokens of(int count) {
    Batches.positions(g.rows(), count);
    return new Tokens(ids, g, count);
  }
}
