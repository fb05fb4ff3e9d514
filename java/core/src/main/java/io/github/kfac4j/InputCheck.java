package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.Use;
import io.github.kfac4j.layer.Vectors;
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
    Finiteness finiteness = new Finiteness();
    for (Observation whole : observations) {
      LayerState state = state(whole.layer());
      Observation observation = needed(state, whole, most);
      Use use = use(state, observation);
      double scale = observation.outputGradScale();
      Curvature.Part part = parts.apply(observation.layer());
      Curvature.Batch first =
          batches.computeIfAbsent(
              state, s -> new Curvature.Batch(s, new ArrayList<>(), scale, part));
      if (!first.uses().isEmpty()) {
        requireSamePass(first, use, scale);
      }
      first.uses().add(use);
      finiteness.add(state, "input", observation.input());
      if (part != Curvature.Part.A) {
        finiteness.add(state, "output gradient", observation.outputGrad());
      }
    }
    finiteness.require();
    return batches.values().stream().map(InputCheck::prepared).toList();
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
    Finiteness finiteness = new Finiteness();
    for (LayerGradient gradient : gradients) {
      LayerState state = state(gradient.layer());
      if (!seen.add(gradient.layer())) {
        throw new IllegalArgumentException(
            LayerState.prefix(gradient.layer()) + "given twice in one call");
      }
      requireGradient(state, gradient);
      finiteness.add(state, "weight gradient", gradient.weight());
      if (gradient.bias() != null) {
        finiteness.add(state, "bias gradient", gradient.bias());
      }
      if (!staysPlain.test(state)) {
        requests.add(
            new Curvature.Request(
                state,
                gradient,
                state.layer.matrix(gradient.weight(), gradient.bias()),
                outerProduct(state, gradient.source())));
      }
    }
    finiteness.require();
    return requests;
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

  private static OuterProduct outerProduct(LayerState state, Observation source) {
    if (source == null) {
      return null;
    }
    if (!source.layer().equals(state.name)) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + "the source is an observation of '"
              + source.layer()
              + "'");
    }
    return use(state, source) instanceof Vectors vectors
        ? new OuterProduct(vectors.g(), vectors.a(), source.outputGradScale() / vectors.examples())
        : null;
  }

  /** Tensors to be checked for NaN and infinity, in one batch. */
  private final class Finiteness {
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    void add(LayerState state, String what, Tensor tensor) {
      tensors.add(tensor);
      names.add(LayerState.prefix(state.name) + what);
    }

    void require() {
      long[] first = backend.firstNonFinite(tensors);
      for (int i = 0; i < first.length; i++) {
        if (first[i] >= 0) {
          throw new IllegalArgumentException(
              names.get(i)
                  + " holds a NaN or infinity at flat index "
                  + first[i]
                  + "; discardStep() drops this step");
        }
      }
    }
  }
}
