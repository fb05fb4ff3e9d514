package io.github.kfac4j.data;

import io.github.kfac4j.tensor.Tensor;
import java.util.Objects;

/**
 * A layer's gradient, replaced in place by the preconditioned one.
 *
 * @param layer the layer's name
 * @param weight the gradient of the weight, in the weight's shape; not in a read-only buffer, and
 *     in memory of its own: no element of it is one of another gradient
 * @param bias the gradient of the bias, likewise; null if it was made without one
 */
public record LayerGradient(String layer, Tensor weight, Tensor bias) {
  /** Checks that names and weight are there. */
  public LayerGradient {
    Objects.requireNonNull(layer, "layer");
    Objects.requireNonNull(weight, "weight");
  }

  /** The gradient of a layer without a bias. */
  public LayerGradient(String layer, Tensor weight) {
    this(layer, weight, null);
  }
}
