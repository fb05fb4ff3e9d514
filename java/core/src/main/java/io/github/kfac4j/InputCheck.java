package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.Range;
import io.github.kfac4j.data.ExamplesFirst;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/** The thin outer layer: everything a trainer hands over is checked here, backends trust it. */
final class InputCheck {
  private static final String DISCARD = "; discardStep() drops this step";

  private final Backend backend;
  private final Map<String, LayerState> layers;

  InputCheck(Backend backend, Map<String, LayerState> layers) {
    this.backend = backend;
    this.layers = layers;
  }

  /**
   * The same list, if all layers are known.
   *
   * @throws IllegalArgumentException naming the first that is not
   */
  List<Observation> known(List<Observation> observations) {
    observations.forEach(observation -> state(observation.layer()));
    return observations;
  }

  /**
   * Observations as what the curvature is made of.
   *
   * @param most at most so many of their first examples
   */
  List<Curvature.Batch> observations(
      List<Observation> observations, int most, Function<String, Curvature.Part> parts) {
    Map<LayerState, Curvature.Batch> batches = new LinkedHashMap<>();
    Magnitudes magnitudes = new Magnitudes();
    for (Observation whole : observations) {
      LayerState state = state(whole.layer());
      Observation observation = needed(state, whole, most);
      Use use = use(state, observation);
      double scale = observation.outputGradScale();
      Curvature.Part part = parts.apply(observation.layer());
      Curvature.Batch first =
          batches.computeIfAbsent(
              state, s -> new Curvature.Batch(s, new ArrayList<>(), scale, part, false));
      if (!first.uses().isEmpty()) {
        requireSamePass(first, use, scale);
      }
      first.uses().add(use);
      magnitudes.add(state, "input", observation.input(), 1);
      if (part != Curvature.Part.A) {
        magnitudes.add(state, "output gradient", observation.outputGrad(), scale);
      }
    }
    Map<LayerState, List<Magnitude>> found = magnitudes.require();
    return batches.values().stream()
        .map(batch -> prepared(batch.with(isWide(batch, found.get(batch.state())))))
        .toList();
  }

  /**
   * Whether fp32 has no room for second moments of a batch.
   *
   * @throws IllegalArgumentException naming the layer, if it is beyond what K-FAC takes
   */
  private static boolean isWide(Curvature.Batch batch, List<Magnitude> magnitudes) {
    double[] largest = {batch.state().layer.bias() ? 1 : 0, 0};
    boolean ordinary = Range.isOrdinary(batch.gScale());
    boolean onDevice = false;
    for (Magnitude one : magnitudes) {
      one.require();
      int which = one.what.equals("input") ? 0 : 1;
      largest[which] = Math.max(largest[which], one.largest);
      ordinary &= Range.isOrdinary(one.largest) && Range.isOrdinary(one.largest * one.scale);
      onDevice |= !(one.tensor instanceof HostTensor);
    }
    double product = largest[0] * largest[1];
    if (batch.state().squaresProducts()) {
      ordinary &= Range.isOrdinary(product) && Range.isOrdinary(product * batch.gScale());
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

  private static Curvature.Batch prepared(Curvature.Batch batch) {
    LayerState state = batch.state();
    try {
      Curvature.Batch joined = batch.with(state.layer.join(batch.uses()));
      return joined.with(state.curvature.prepare(joined));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
    }
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

  /** Checks all gradients and makes requests of them, but for layers whose gradient stays plain. */
  List<Curvature.Request> gradients(
      List<LayerGradient> gradients, Predicate<LayerState> staysPlain) {
    List<Curvature.Request> requests = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    Magnitudes magnitudes = new Magnitudes();
    for (LayerGradient gradient : gradients) {
      LayerState state = state(gradient.layer());
      if (!seen.add(gradient.layer())) {
        throw new IllegalArgumentException(
            LayerState.prefix(gradient.layer()) + "given twice in one call");
      }
      requireGradient(state, gradient);
      magnitudes.add(state, "weight gradient", gradient.weight(), 1);
      if (gradient.bias() != null) {
        magnitudes.add(state, "bias gradient", gradient.bias(), 1);
      }
      if (!staysPlain.test(state)) {
        requests.add(
            new Curvature.Request(
                state, gradient, state.layer.matrix(gradient.weight(), gradient.bias()), 0));
      }
    }
    Map<LayerState, List<Magnitude>> found = magnitudes.require();
    return requests.stream().map(r -> inRange(r, found.get(r.state()))).toList();
  }

  private LayerState state(String name) {
    LayerState state = layers.get(name);
    if (state == null) {
      throw new IllegalArgumentException(
          LayerState.prefix(name) + "unknown layer; known are " + layers.keySet());
    }
    return state;
  }

  /** What is observed of a pass, its examples first where that matters. */
  private static Observation needed(LayerState state, Observation whole, int most) {
    if (whole.examples() <= most
        && !state.layer.groupsByExample()
        && !state.curvature.groupsByExample()) {
      return whole;
    }
    try {
      return ExamplesFirst.of(whole, state.layer, most);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
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

  private static void requireGradient(LayerState state, LayerGradient gradient) {
    Layer layer = state.layer;
    requireShape(state, "weight gradient", gradient.weight(), layer.weightShape());
    if (layer.bias() != (gradient.bias() != null)) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + (layer.bias()
                  ? "the bias gradient is missing"
                  : "has no bias, but a gradient of it"));
    }
    if (layer.bias()) {
      requireShape(state, "bias gradient", gradient.bias(), layer.biasShape());
    }
  }

  private static void requireShape(LayerState state, String what, Tensor tensor, Shape shape) {
    if (!tensor.shape().equals(shape)) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + "%s has shape %s, expected %s".formatted(what, tensor.shape(), shape));
    }
  }

  /** A gradient for which fp32 leaves too little room is divided by a power of two, in place. */
  private Curvature.Request inRange(Curvature.Request request, List<Magnitude> magnitudes) {
    double largest = magnitudes.stream().mapToDouble(one -> one.largest).max().orElse(0);
    int exponent = request.state().isDouble() ? 0 : Range.gradientExponent(largest);
    if (exponent == 0) {
      return request;
    }
    Range.multiply(backend, request.tensors(), 1, -exponent);
    return request.dividedBy(exponent);
  }

  /** The largest absolute value of a tensor. */
  private record Magnitude(
      LayerState state, String what, Tensor tensor, double scale, double largest) {
    private String name() {
      return LayerState.prefix(state.name) + what;
    }

    private void require() {
      double scaled = largest * scale;
      if (scaled > Range.MOST || largest > Range.MOST) {
        throw new IllegalArgumentException(
            "%s is up to %s%s, beyond the %s that K-FAC takes; normalise it, or leave the layer out"
                    .formatted(name(), largest, scale == 1 ? "" : " times " + scale, Range.MOST)
                + DISCARD);
      }
      if (largest > 0 && scaled < Range.LEAST) {
        throw new IllegalArgumentException(
            "%s is at most %s times %s, below the %s that K-FAC takes; correct the scale"
                    .formatted(name(), largest, scale, Range.LEAST)
                + DISCARD);
      }
    }
  }

  /** Tensors whose magnitudes are asked for in one batch. */
  private final class Magnitudes {
    private final List<Magnitude> unknown = new ArrayList<>();

    void add(LayerState state, String what, Tensor tensor, double scale) {
      unknown.add(new Magnitude(state, what, tensor, scale, Double.NaN));
    }

    /**
     * By layer.
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
                  + DISCARD);
        }
        known
            .computeIfAbsent(one.state, s -> new ArrayList<>())
            .add(new Magnitude(one.state, one.what, one.tensor, one.scale, largest[i]));
      }
      return known;
    }
  }
}
