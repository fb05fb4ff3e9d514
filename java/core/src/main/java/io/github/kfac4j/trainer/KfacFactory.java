package io.github.kfac4j.trainer;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import java.util.Map;

/** Makes the K-FAC that an adapter attaches to a model. */
@FunctionalInterface
public interface KfacFactory {
  /**
   * Makes it; it is closed with the attachment. Called again, for all layers, when a parameter is
   * unfrozen that K-FAC does not have; the state of the others is kept.
   *
   * @param layers of the model by name, as far as the convention has them. The map may be changed:
   *     a layer that is removed is left to the optimizer, and one may be described by what the
   *     model does not tell, as the {@code FlattenedDense} behind a feature map, with {@code
   *     WeightSharing.REDUCE}, or as a {@code ScaleShift} with a full block.
   */
  KfacPreconditioner create(Map<String, Layer> layers, KfacOptions options);
}
