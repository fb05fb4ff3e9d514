package io.github.kfac4j.layer;

import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.backend.Samples;

/**
 * A use of a {@link FlattenedDense} layer whose inputs were split into a part along positions and a
 * part along channels.
 *
 * @param psi {@code [N, positions]}
 * @param phi {@code [N, channels]}
 * @param g gradients with respect to the output
 */
public record Separated(RowSamples psi, RowSamples phi, Samples g) implements Use {
  @Override
  public int examples() {
    return g.examples();
  }

  @Override
  public int positions() {
    return 1;
  }
}
