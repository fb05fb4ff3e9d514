package io.github.kfac4j;

import io.github.kfac4j.Magnitudes.Magnitude;
import io.github.kfac4j.Magnitudes.Quantity;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.InPlace;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks the gradients that a trainer hands over; backends trust them. */
final class GradientCheck {
  private final Backend backend;
  private final KfacState state;

  GradientCheck(Backend backend, KfacState state) {
    this.backend = backend;
    this.state = state;
  }

  /**
   * Checks all gradients.
   *
   * @return the powers of two that those of each layer are to be divided by
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  Map<LayerState, Integer> require(List<LayerGradient> gradients) {
    Set<String> seen = new HashSet<>();
    Magnitudes magnitudes = new Magnitudes(backend);
    InPlace replaced = new InPlace("replaced by the preconditioned one");
    for (LayerGradient gradient : gradients) {
      LayerState layer = state.layer(gradient.layer());
      if (!seen.add(gradient.layer())) {
        throw new IllegalArgumentException(
            LayerState.prefix(gradient.layer()) + "given twice in one call");
      }
      requireGradient(layer, gradient, replaced);
      magnitudes.add(layer, Quantity.WEIGHT_GRADIENT, gradient.weight(), 1);
      if (gradient.bias() != null) {
        magnitudes.add(layer, Quantity.BIAS_GRADIENT, gradient.bias(), 1);
      }
    }
    replaced.requireApart();
    Map<LayerState, Integer> exponents = new HashMap<>();
    magnitudes.require().forEach((layer, found) -> exponents.put(layer, exponent(layer, found)));
    return exponents;
  }

  private static void requireGradient(LayerState state, LayerGradient gradient, InPlace replaced) {
    Layer layer = state.layer;
    requireShape(state, Quantity.WEIGHT_GRADIENT, gradient.weight(), layer.weightShape(), replaced);
    if (layer.bias() != (gradient.bias() != null)) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + (layer.bias()
                  ? "the bias gradient is missing"
                  : "has no bias, but was given a gradient of one"));
    }
    if (layer.bias()) {
      requireShape(state, Quantity.BIAS_GRADIENT, gradient.bias(), layer.biasShape(), replaced);
    }
  }

  private static void requireShape(
      LayerState state, Quantity what, Tensor tensor, Shape shape, InPlace replaced) {
    if (!tensor.shape().equals(shape)) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + "%s has shape %s, expected %s".formatted(what, tensor.shape(), shape));
    }
    replaced.add(LayerState.prefix(state.name) + what, tensor);
  }

  private static int exponent(LayerState layer, List<Magnitude> magnitudes) {
    double largest = magnitudes.stream().mapToDouble(Magnitude::largest).max().orElse(0);
    return layer.isDouble() ? 0 : Fp32Range.gradientExponent(largest);
  }
}
