package io.github.kfac4j.layer;

import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;

/**
 * A use of a {@link FlattenedDense} layer whose inputs were split into a part along positions and a
 * part along channels.
 *
 * @param psi {@code [rows, positions]}
 * @param phi {@code [rows, channels]}
 * @param g gradients with respect to the output
 * @param examples N
 */
public record Separated(RowSamples psi, RowSamples phi, Samples g, int examples) implements Use {
  @Override
  public int positions() {
    return Batches.positions(g.rows(), examples);
  }

  @Override
  public Separated of(int count) {
    Batches.positions(g.rows(), count);
    return new Separated(psi, phi, g, count);
  }
}
