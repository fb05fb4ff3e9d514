package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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
   * @throws IllegalArgumentException naming the first that is not, or that comes twice
   */
  List<Observation> known(List<Observation> observations) {
    Set<String> seen = new HashSet<>();
    observations.forEach(observation -> state(observation.layer(), seen));
    return observations;
  }

  List<Curvature.Batch> observations(List<Observation> observations) {
    List<Curvature.Batch> batches = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    Finiteness finiteness = new Finiteness();
    for (Observation observation : observations) {
      LayerState state = state(observation.layer(), seen);
      batches.add(batch(state, observation));
      finiteness.add(state, "input", observation.input());
      finiteness.add(state, "output gradient", observation.outputGrad());
    }
    finiteness.require();
    return batches;
  }

  List<Curvature.Request> gradients(List<LayerGradient> gradients, boolean burnIn) {
    List<Curvature.Request> requests = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    Finiteness finiteness = new Finiteness();
    for (LayerGradient gradient : gradients) {
      LayerState state = state(gradient.layer(), seen);
      requireGradient(state, gradient);
      if (!burnIn && !state.ready()) {
        throw new IllegalArgumentException(
            LayerState.prefix(state.name)
                + "has no inverse yet: observe() and refresh() come first");
      }
      finiteness.add(state, "weight gradient", gradient.weight());
      if (gradient.bias() != null) {
        finiteness.add(state, "bias gradient", gradient.bias());
      }
      requests.add(
          new Curvature.Request(
              state,
              new Gradient(gradient.weight(), gradient.bias()),
              outerProduct(state, gradient.source())));
    }
    finiteness.require();
    return requests;
  }

  private LayerState state(String name, Set<String> seen) {
    LayerState state = layers.get(name);
    if (state == null) {
      throw new IllegalArgumentException(
          LayerState.prefix(name) + "unknown layer; known are " + layers.keySet());
    }
    if (!seen.add(name)) {
      throw new IllegalArgumentException(
          LayerState.prefix(name)
              + "given twice in one call; a layer used several times in one"
              + " pass is not supported");
    }
    return state;
  }

  private static Curvature.Batch batch(LayerState state, Observation observation) {
    Layer layer = state.layer;
    Samples a;
    Samples g;
    try {
      a = layer.inputs(observation.input());
      g = layer.outputGrads(observation.outputGrad());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
    }
    if (a.examples() != g.examples() || a.positions() != g.positions()) {
      throw new IllegalArgumentException(
          LayerState.prefix(state.name)
              + "an input of shape %s gives %d examples of %d positions, but the output gradient of shape %s has %d of %d"
                  .formatted(
                      observation.input().shape(),
                      a.examples(),
                      a.positions(),
                      observation.outputGrad().shape(),
                      g.examples(),
                      g.positions()));
    }
    return new Curvature.Batch(state, a, g, observation.outputGradScale());
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
      Shape shape = Shape.of(layer.groups() * layer.outputDim());
      requireShape(state, "bias gradient", gradient.bias(), shape);
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
    Curvature.Batch batch = batch(state, source);
    return new OuterProduct(batch.g(), batch.a(), source.outputGradScale() / batch.examples());
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
              names.get(i) + " holds a NaN or infinity at flat index " + first[i]);
        }
      }
    }
  }
}
