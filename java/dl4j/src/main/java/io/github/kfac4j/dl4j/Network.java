package io.github.kfac4j.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.learning.config.IUpdater;

/** A {@code MultiLayerNetwork} or a {@code ComputationGraph}: its layers and their training. */
final class Network {
  private final Model model;
  private final List<Tap> taps = new ArrayList<>();
  private final List<String> others = new ArrayList<>();
  private final Set<String> names = new HashSet<>();

  /**
   * Looks for layers.
   *
   * @throws IllegalArgumentException if there is none, or the network is not trained by gradient
   *     steps
   * @throws IllegalStateException if the network is not initialized
   */
  Network(Model model) {
    this.model = model;
    Layer[] layers = layers();
    separate(layers);
    OptimizationAlgorithm algorithm = model.conf().getOptimizationAlgo();
    if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
      throw new IllegalArgumentException(
          "K-FAC works in the steps of STOCHASTIC_GRADIENT_DESCENT, but the network is trained by "
              + algorithm);
    }
    for (int i = 0; i < layers.length; i++) {
      add(name(layers[i], i), layers[i]);
    }
    if (taps.isEmpty()) {
      throw new IllegalArgumentException(
          "the network has no layer for K-FAC: %s; it has %s".formatted(Sites.KNOWN, others));
    }
  }

  /**
   * Gives layers that were made of one configuration object, such as equal hidden layers added in a
   * loop, one each: a tap has its place in the configuration.
   */
  private static void separate(Layer[] layers) {
    Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < layers.length; i++) {
      var configuration = layers[i].conf().getLayer();
      if (!seen.add(configuration)) {
        var own = configuration.clone();
        String name = own.getLayerName();
        if (name != null && name.matches("layer[0-9]+")) {
          own.setLayerName("layer" + i); // as Deeplearning4j would have named it
        }
        layers[i].conf().setLayer(own);
      }
    }
  }

  private Layer[] layers() {
    Layer[] layers =
        model instanceof ComputationGraph graph
            ? graph.getLayers()
            : ((MultiLayerNetwork) model).getLayers();
    if (layers == null || model.params() == null) {
      throw new IllegalStateException("the network is not initialized: call its init() before");
    }
    return layers;
  }

  /** The layer's name, with its number if another one has the same. */
  private String name(Layer layer, int index) {
    String name = layer.conf().getLayer().getLayerName();
    if (name == null) {
      return "layer" + index;
    }
    return names.add(name) ? name : name + "_" + index;
  }

  private void add(String name, Layer layer) {
    if (layer.numParams() == 0) {
      return;
    }
    String reason = Sites.reasonAgainst(layer);
    List<Site> sites = Sites.of(layer);
    if (!sites.isEmpty()) {
      try {
        sites.forEach(Site::describe);
        sites.forEach(site -> taps.add(tap(name, layer, site)));
        return;
      } catch (IllegalArgumentException e) {
        reason = e.getMessage();
      }
    }
    String kind = layer.getClass().getSimpleName();
    others.add("%s (%s%s)".formatted(name, kind, reason.isEmpty() ? "" : ": " + reason));
  }

  private Tap tap(String name, Layer layer, Site site) {
    return site instanceof SimpleRnnSite rnn
        ? new StepsTap(name + "_" + rnn.weightKey(), layer, rnn, ear(site, layer))
        : new Tap(name, layer, site, ear(site, layer));
  }

  private Ear ear(Site site, Layer layer) {
    return site instanceof NormSite
        ? new BackwardEar(layer, place(layer))
        : Ear.in((BaseLayer) layer.conf().getLayer());
  }

  /** Puts a layer where another one is now. */
  private Consumer<Layer> place(Layer layer) {
    if (model instanceof ComputationGraph graph) {
      LayerVertex vertex =
          (LayerVertex)
              Arrays.stream(graph.getVertices())
                  .filter(one -> one.hasLayer() && one.getLayer() == layer)
                  .findFirst()
                  .orElseThrow();
      return vertex::setLayer;
    }
    Layer[] layers = ((MultiLayerNetwork) model).getLayers();
    int index = Arrays.asList(layers).indexOf(layer);
    return other -> layers[index] = other;
  }

  /** The layers that could be K-FAC's, from the input to the outputs. */
  List<Tap> taps() {
    return taps;
  }

  /** Layers that could not, by name, kind and, where K-FAC knows the kind, the reason. */
  List<String> others() {
    return others;
  }

  /** Whether it is this network's call. */
  boolean is(Model other) {
    return other == model;
  }

  /** Whether labels are missing that a graph does not tell of: the backward pass will not begin. */
  boolean lacksLabels() {
    return model instanceof MultiLayerNetwork net && net.getLabels() == null;
  }

  /** The number of examples of the batch that it is at. */
  int examples() {
    return model.batchSize();
  }

  /** What the updater will divide gradients by. */
  double divisor() {
    return model.conf().isMiniBatch() ? examples() : 1;
  }

  /** All that has parameters, in their order. */
  List<Trainable> trainables() {
    return model instanceof ComputationGraph graph
        ? Arrays.asList(graph.getVertices())
        : Arrays.asList(((MultiLayerNetwork) model).getLayers());
  }

  /** The largest learning rate that a layer's updater is about to use; empty if none has one. */
  OptionalDouble learningRate() {
    int iteration = BaseOptimizer.getIterationCount(model);
    int epoch = BaseOptimizer.getEpochCount(model);
    return taps.stream()
        .map(tap -> tap.configuration().getIUpdater())
        .filter(IUpdater::hasLearningRate)
        .mapToDouble(updater -> updater.getLearningRate(iteration, epoch))
        .max();
  }
}
