package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Allocation.Keeps;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.LayerStatistics.Moment;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

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
  public void observe(List<Observation> given, Share share) {
    List<Observation> observations = new ArrayList<>(given);
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
    return statistics(name, early.getOrDefault(name, 0.0), spec -> !spec.role().isOfGradients());
  }

  /** What was observed of a layer since {@link #reset}; the arrays are new. */
  public LayerStatistics of(String name) {
    return statistics(name, examples.getOrDefault(name, 0.0), spec -> true);
  }

  private LayerStatistics statistics(String name, double count, Predicate<MatrixSpec> which) {
    LayerState layer = batch.state().layer(name);
    List<Moment> moments =
        layer.statistics().stream()
            .filter(average -> which.test(average.spec()))
            .map(average -> moment(average, count > 0))
            .toList();
    return new LayerStatistics(count, layer.counters.positions, moments);
  }

  private static Moment moment(StateMatrix average, boolean seen) {
    MatrixSpec spec = average.spec();
    double[] elements = seen ? average.values() : new double[average.stack().size()];
    return new Moment(
        average.key().name(), spec.role().isOfGradients(), spec.symmetricDim(), elements);
  }

  /**
   * What a moment of a shard is multiplied by, so that the sum over shards is that of their union.
   *
   * @param shard the statistics that it is from
   * @param examples of all shards together
   */
  public double weight(Moment moment, LayerStatistics shard, double examples) {
    return options
        .convention()
        .shardWeight(moment.ofGradients(), options.estimator(), shard.examples(), examples);
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
