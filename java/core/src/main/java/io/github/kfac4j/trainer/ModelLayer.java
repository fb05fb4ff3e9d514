package io.github.kfac4j.trainer;

import io.github.kfac4j.layer.Layer;

/** A layer of a model that could be K-FAC's, as an adapter shows it to {@link TrainedLayers}. */
public interface ModelLayer {
  /** Its name, which no other layer of the model has. */
  String name();

  /** Whether the weight is trained now. */
  boolean trains();

  /** Whether there is a bias and it is trained now. */
  boolean trainsBias();

  /**
   * Reads off the model what it is.
   *
   * @param bias whether the bias is K-FAC's
   * @throws IllegalArgumentException saying why, if it cannot be mapped exactly: it is left to the
   *     optimizer then
   */
  Layer describe(boolean bias);

  /** Takes it for what K-FAC has it as from now on; null for none of its layers. */
  default void describeAs(Layer layer) {}

  /** Whether both have the same weight, of this model or of another one. */
  default boolean sharesWeight(ModelLayer other) {
    return this == other;
  }
}
