package io.github.kfac4j.data;

import io.github.kfac4j.tensor.Tensor;
import java.util.Objects;

/**
 * A layer's gradient, replaced in place by the preconditioned one.
 *
 * @param layer the layer's name
 * @param weight the gradient of the weight, in the weight's shape
 * @param bias the gradient of the bias, null for a layer without one
 * @param source the observation whose outer products sum to this very gradient divided by N, or
 *     null, which is always right. It lets a backend take a shorter way for layers wider than the
 *     batch, which preconditions the sum and never reads the gradient: this is not checked. What
 *     the gradient holds besides is dropped, and it is just that which small damping amplifies, by
 *     up to 1 / damping: a regulariser, noise, clipping, weight decay, other uses of the weight,
 *     other micro-batches, sampled labels, and the rounding of the gradient itself.
 */
public record LayerGradient(String layer, Tensor weight, Tensor bias, Observation source) {
  /** Checks that names and weight are there. */
  public LayerGradient {
    Objects.requireNonNull(layer, "layer");
    Objects.requireNonNull(weight, "weight");
  }

  /** A gradient of which only the value is known. */
  public LayerGradient(String layer, Tensor weight, Tensor bias) {
    this(layer, weight, bias, null);
  }
}
