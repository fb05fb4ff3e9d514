package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.Advice;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Checks the values of tensors, whose magnitudes are asked for in one batch. */
final class Magnitudes {
  private final Backend backend;
  private final List<Magnitude> unknown = new ArrayList<>();

  Magnitudes(Backend backend) {
    this.backend = backend;
  }

  /** What a tensor is to its layer. */
  enum Quantity {
    INPUT,
    OUTPUT_GRADIENT,
    WEIGHT_GRADIENT,
    BIAS_GRADIENT;

    /** The name in messages. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  /** The largest absolute value of a tensor, which stands for itself times the scale. */
  record Magnitude(LayerState state, Quantity what, Tensor tensor, double scale, double largest) {
    private String name() {
      return LayerState.prefix(state.name) + what;
    }

    /**
     * Checks that its squares can be summed.
     *
     * @throws IllegalArgumentException naming the layer, if it is beyond what K-FAC takes
     */
    void requireInRange() {
      double scaled = largest * scale;
      if (scale * scale == 0 || Double.isInfinite(scale * scale)) { // zeros have no size to tell
        throw new IllegalArgumentException(
            "%s is multiplied by %s, whose square is beyond fp64; correct the scale"
                    .formatted(name(), scale)
                + Advice.DISCARD_STEP);
      }
      if (scaled > Fp32Range.LARGEST || largest > Fp32Range.LARGEST) {
        throw new IllegalArgumentException(
            "%s is up to %s%s, beyond the %s that K-FAC takes; normalise it, or leave the layer out"
                    .formatted(
                        name(), largest, scale == 1 ? "" : " times " + scale, Fp32Range.LARGEST)
                + Advice.DISCARD_STEP);
      }
      if (largest > 0 && scaled < Fp32Range.SMALLEST_GRADIENT) {
        throw new IllegalArgumentException(
            "%s is at most %s times %s, below the %s that K-FAC takes; correct the scale"
                    .formatted(name(), largest, scale, Fp32Range.SMALLEST_GRADIENT)
                + Advice.DISCARD_STEP);
      }
    }
  }

  /** Asks for a tensor's magnitude. */
  void add(LayerState state, Quantity what, Tensor tensor, double scale) {
    unknown.add(new Magnitude(state, what, tensor, scale, Double.NaN));
  }

  /**
   * All magnitudes by layer.
   *
   * @throws IllegalArgumentException naming a tensor that is not finite
   */
  Map<LayerState, List<Magnitude>> require() {
    double[] largest = backend.largest(unknown.stream().map(Magnitude::tensor).toList());
    Map<LayerState, List<Magnitude>> known = new LinkedHashMap<>();
    for (int i = 0; i < largest.length; i++) {
      Magnitude one = unknown.get(i);
      if (!Double.isFinite(largest[i])) {
        throw new IllegalArgumentException(
            one.name()
                + " holds a NaN or infinity at flat index "
                + backend.firstNonFinite(List.of(one.tensor))[0]
                + Advice.DISCARD_STEP);
      }
      known
          .computeIfAbsent(one.state, s -> new ArrayList<>())
          .add(new Magnitude(one.state, one.what, one.tensor, one.scale, largest[i]));
    }
    return known;
  }
}
