package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Allocation.Keeps;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.Factors;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.Room;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The second moments of one batch, apart from any running average: what a rank contributes where
 * several share a batch. {@link Kfac#add} adds up what all have contributed.
 *
 * <p>Not for {@link Approximation#EKFAC}, whose moments are measured in a basis that comes from the
 * running averages. An instance is used by one thread at a time and does not own the backend.
 */
public final class BatchStatistics implements AutoCloseable {
  private final Statistics batch;
  private final KfacOptions options;
  private final Map<String, Double> examples = new HashMap<>();

  /** Examples of the inputs that were observed before the backward pass. */
  private final Map<String, Double> early = new HashMap<>();

  /**
   * Statistics of nothing yet.
   *
   * @param backend stays the caller's to close, after this
   * @param layers by name
   * @param options settings; intervals and decay do not matter
   * @throws IllegalArgumentException if there is no layer, or the approximation is EKFAC
   */
  public BatchStatistics(
      Backend backend, Map<String, ? extends Layer> layers, KfacOptions options) {
    layers.keySet().forEach(name -> requireApart(name, options.approximationOf(name)));
    this.options = options.withDecay(0).withIntervals(1, 1);
    this.batch = new Statistics(backend, layers, this.options, Keeps.AVERAGES);
  }

  private static void requireApart(String layer, Approximation approximation) {
    if (approximation.measuresBetweenRefreshes()) {
      throw new IllegalArgumentException(
          ("layer '%s': the moments of %s are measured in a basis of the running averages, which the"
                  + " statistics of a batch alone do not have: take KRONECKER for it, or one process"
                  + " that observes whole batches")
              .formatted(layer, approximation));
    }
  }

  /**
   * Takes a micro-batch in; the shares of a batch add to 1.
   *
   * @throws IllegalArgumentException as {@link Kfac#observe(List, Share)}, or if an embedding is
   *     tied to the softmax and its convention divides moments of gradients alone by N twice: both
   *     kinds are pooled, and the N of the other shards is not known yet
   */
  public void observe(List<Observation> observations, Share share) {
    requireSeparable(observations);
    batch.observe(
        observations,
        share.weight(),
        options,
        layer -> early.containsKey(layer) ? Curvature.Part.G : Curvature.Part.BOTH);
    batch.count(share.weight());
    count(observations, share.weight(), examples);
  }

  /** Multiplies the share that all observations so far have. */
  public void reweigh(double factor) {
    batch.reweigh(factor, options.decay());
    examples.replaceAll((layer, count) -> count * factor);
    early.replaceAll((layer, count) -> count * factor);
  }

  private void requireSeparable(List<Observation> observations) {
    for (Observation one : observations) {
      String reason = batch.state().layer(one.layer()).curvature.inseparable(one, options);
      if (reason != null) {
        throw new IllegalArgumentException(LayerState.prefix(one.layer()) + reason);
      }
    }
  }

  private void count(List<Observation> observations, double share, Map<String, Double> sums) {
    Map<String, Double> counts = new HashMap<>();
    int limit = options.maxExamples();
    for (Observation observation : observations) {
      counts.put(observation.layer(), (double) Math.min(limit, observation.examples()));
    }
    counts.forEach((layer, count) -> sums.merge(layer, share * count, Double::sum));
  }

  /** Layers whose A can be had before the backward pass: those of Kronecker blocks. */
  public List<String> earlyLayers() {
    return batch.state().layers().values().stream()
        .filter(layer -> isEarly(layer.name))
        .map(layer -> layer.name)
        .toList();
  }

  private boolean isEarly(String name) {
    LayerState layer = batch.state().layer(name);
    return layer.curvature.inputsApart() && layer.layer.readsInputAlone();
  }

  /**
   * Makes A of the inputs of a micro-batch; {@link #observe} then makes G alone. Layers that are
   * not {@linkplain #earlyLayers() early} wait for that.
   *
   * @throws IllegalArgumentException as {@link Kfac#observe(List, Share)}
   */
  public void observeInputs(List<Observation> inputs, Share share) {
    List<Observation> plain = inputs.stream().filter(o -> isEarly(o.layer())).toList();
    batch.observe(plain, share.fraction(), options, layer -> Curvature.Part.A);
    count(plain, share.fraction(), early);
  }

  /** What {@link #observeInputs} made for an early layer since {@link #reset}: A alone. */
  public LayerStatistics ofInputs(String name) {
    LayerState layer = batch.state().layer(name);
    double count = early.getOrDefault(name, 0.0);
    double[] elements =
        count > 0 ? layer.values(Factors.A) : new double[layer.matrix(Factors.A).size()];
    return new LayerStatistics(count, layer.counters.positions, Map.of(Factors.A, elements));
  }

  /** What was observed of a layer since {@link #reset}; the arrays are new. */
  public LayerStatistics of(String name) {
    LayerState layer = batch.state().layer(name);
    double count = examples.getOrDefault(name, 0.0);
    Map<String, double[]> moments = new LinkedHashMap<>();
    for (Room room : layer.statistics()) {
      String key = room.key();
      moments.put(key, count > 0 ? layer.values(key) : new double[layer.matrix(key).size()]);
    }
    return new LayerStatistics(count, layer.counters.positions, moments);
  }

  /**
   * The dimension of the symmetric matrices of one of a layer's moments; 0 if they are not
   * symmetric.
   */
  public int symmetricDim(String layer, String moment) {
    return room(layer, moment).symmetricDim();
  }

  /**
   * What a moment of a shard is multiplied by, so that the sum over shards is that of their union.
   *
   * @param shard its statistics of the layer
   * @param examples of all shards together
   */
  public double weight(String layer, String moment, LayerStatistics shard, double examples) {
    return options
        .convention()
        .shardWeight(
            room(layer, moment).role().isOfGradients(),
            options.estimator(),
            shard.examples(),
            examples);
  }

  private Room room(String layer, String moment) {
    return batch.state().layer(layer).statistics().stream()
        .filter(room -> room.key().equals(moment))
        .findFirst()
        .orElseThrow();
  }

  /** Begins a new batch. */
  public void reset() {
    examples.clear();
    early.clear();
    batch.state().open().discard();
  }

  @Override
  public void close() {
    batch.close();
  }
}
