package io.github.kfac4j;

import io.github.kfac4j.Magnitudes.Magnitude;
import io.github.kfac4j.Magnitudes.Quantity;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Observations that a trainer hands over as batches of layers, checked: backends trust them. */
final class CheckedBatches {
  private final Backend backend;
  private final KfacState state;

  CheckedBatches(Backend backend, KfacState state) {
    this.backend = backend;
    this.state = state;
  }

  /**
   * One batch for each layer, of all its uses.
   *
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  List<Curvature.Batch> of(List<Observation> observations, Function<String, Curvature.Part> parts) {
    Map<LayerState, Curvature.Batch> batches = new LinkedHashMap<>();
    Magnitudes magnitudes = new Magnitudes(backend);
    for (Observation observation : observations) {
      LayerState layer = state.layer(observation.layer());
      Use use = use(layer, observation);
      double scale = observation.outputGradScale();
      Curvature.Part part = parts.apply(observation.layer());
      Curvature.Batch first =
          batches.computeIfAbsent(
              layer, s -> new Curvature.Batch(s, new ArrayList<>(), scale, part, false));
      if (!first.uses().isEmpty()) {
        requireSamePass(first, use, scale);
      }
      first.uses().add(use);
      magnitudes.add(layer, Quantity.INPUT, observation.input(), 1);
      if (part != Curvature.Part.A) {
        magnitudes.add(layer, Quantity.OUTPUT_GRADIENT, observation.outputGrad(), scale);
      }
    }
    Map<LayerState, List<Magnitude>> found = magnitudes.require();
    return batches.values().stream()
        .map(batch -> batch.with(isWide(batch, found.get(batch.state()))))
        .toList();
  }

  /**
   * Whether fp32 has no room for second moments of a batch.
   *
   * @throws IllegalArgumentException naming the layer, if it is beyond what K-FAC takes
   */
  private static boolean isWide(Curvature.Batch batch, List<Magnitude> magnitudes) {
    double[] largest = {batch.state().layer.bias() ? 1 : 0, 0};
    boolean ordinary = Fp32Range.isOrdinary(batch.gScale());
    boolean onDevice = false;
    for (Magnitude one : magnitudes) {
      one.requireInRange();
      int which = one.what() == Quantity.INPUT ? 0 : 1;
      largest[which] = Math.max(largest[which], one.largest());
      ordinary &=
          Fp32Range.isOrdinary(one.largest()) && Fp32Range.isOrdinary(one.largest() * one.scale());
      onDevice |= !(one.tensor() instanceof HostTensor);
    }
    double product = largest[0] * largest[1];
    if (batch.state().squaresProducts()) {
      ordinary &= Fp32Range.isOrdinary(product) && Fp32Range.isOrdinary(product * batch.gScale());
    }
    if (!ordinary && onDevice && !batch.state().isDouble()) {
      throw new IllegalArgumentException(
          LayerState.prefix(batch.state().name)
              + "inputs up to %s and output gradients up to %s, times %s, have no room in fp32"
                  .formatted(largest[0], largest[1], batch.gScale())
              + " when they are squared, which is done in host memory alone: hand them over there,"
              + " or scale the loss");
    }
    return !ordinary;
  }

  private static void requireSamePass(Curvature.Batch first, Use use, double scale) {
    if (first.examples() != use.examples() || first.gScale() != scale) {
      throw new IllegalArgumentException(
          LayerState.prefix(first.state().name)
              + "its uses in one pass must have the same examples and scale of the output gradient,"
              + " but have %d and %d examples, scales %s and %s"
                  .formatted(first.examples(), use.examples(), first.gScale(), scale));
    }
  }

  private static Use use(LayerState state, Observation observation) {
    try {
      return state
          .layer
          .use(observation.input(), observation.outputGrad())
          .of(observation.examples());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
    }
  }
}
