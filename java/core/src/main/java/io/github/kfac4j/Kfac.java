package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * K-FAC for the layers of one network: three verbs between a trainer's backward pass and its update
 * rule.
 *
 * <pre>{@code
 * Kfac kfac = new Kfac(Backends.best(), Map.of("fc", new Dense(784, 10, true)), KfacOptions.DEFAULT);
 * // each step, after the backward pass:
 * if (kfac.wantsObservations()) kfac.observe(observations);
 * if (kfac.wantsRefresh()) kfac.refresh();
 * kfac.precondition(gradients); // in place; now let SGD with momentum step
 * }</pre>
 *
 * <p>Every verb checks all of its arguments before it changes anything: after an {@link
 * IllegalArgumentException} the state and the gradients are as they were. An instance is used by
 * one thread at a time. It owns its state but not the backend.
 */
public final class Kfac implements KfacVerbs {
  private static final double SHARE_ROUNDING = 1e-9;

  private static final System.Logger LOG = System.getLogger(Kfac.class.getName());

  private final Backend backend;
  private final InputCheck check;
  private final Blocks blocks;
  private final KfacState state;
  private KfacOptions options;
  private List<LayerReport> lastRefresh = List.of();
  private double observedShare;

  /**
   * Makes K-FAC for the given layers.
   *
   * @param backend does the arithmetic; stays the caller's to close, after this
   * @param layers by name; reports follow the map's order
   * @param options settings
   * @throws IllegalArgumentException if there is no layer, or naming a layer that does not have its
   *     approximation or the convention, or has a factor that is too large for the backend, with
   *     its size and what can be done; nothing has been allocated then
   * @throws io.github.kfac4j.backend.MemoryException if there is less memory than was promised;
   *     what had been allocated is free again
   */
  public Kfac(Backend backend, Map<String, ? extends Layer> layers, KfacOptions options) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("K-FAC needs at least one layer");
    }
    this.backend = new FallbackBackend(backend, line -> LOG.log(System.Logger.Level.WARNING, line));
    this.options = options;
    this.blocks = new Blocks(this.backend, options);
    requireKnown(options.approximations(), layers);
    Map<String, LayerState> states = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) -> states.put(name, new LayerState(name, layer, blocks.of(name, layer))));
    Room.allocate(this.backend, states.values(), options.intervals().similarity().isPresent());
    this.state = new KfacState(states);
    this.check = new InputCheck(this.backend, states);
  }

  private static void requireKnown(Map<String, ?> named, Map<String, ?> layers) {
    for (String name : named.keySet()) {
      if (!layers.containsKey(name)) {
        throw new IllegalArgumentException(
            LayerState.prefix(name)
                + "an approximation is set for it, but it is unknown; known are "
                + layers.keySet());
      }
    }
  }

  @Override
  public KfacOptions options() {
    return options;
  }

  @Override
  public void reconfigure(KfacOptions changed) {
    options.requireCompatible(changed);
    options = changed;
  }

  /** Factors, inverses and counters. */
  public KfacState state() {
    return state;
  }

  @Override
  public long step() {
    return state.step();
  }

  @Override
  public boolean wantsObservations() {
    return options.intervals().wantsFactors(state.step())
        && state.layers().values().stream().anyMatch(this::due);
  }

  @Override
  public boolean wantsRefresh() {
    return options.intervals().wantsInverses(state.step())
        && state.layers().values().stream().anyMatch(this::due);
  }

  private boolean due(LayerState layer) {
    return options.intervals().similarity().isEmpty()
        || options.intervals().burningIn(state.step())
        || Staleness.due(layer, state.step());
  }

  @Override
  public void observe(List<Observation> observations, double share) {
    observe(observations, share, layer -> Curvature.Part.BOTH);
    countShare(share);
  }

  @Override
  public void observe(List<Observation> observations, double share, int pass, int passes) {
    if (pass < 0 || pass >= passes) {
      throw new IllegalArgumentException(
          "passes are counted from 0 to %d, but this is %d".formatted(passes - 1, pass));
    }
    List<Observation> apart =
        check.known(observations).stream().filter(o -> inputsApart(o.layer())).toList();
    observe(
        observations,
        share / passes,
        layer -> inputsApart(layer) ? Curvature.Part.G : Curvature.Part.BOTH);
    if (pass == 0 && !apart.isEmpty()) {
      observe(apart, share, layer -> Curvature.Part.A);
    }
    countShare(share / passes);
  }

  private boolean inputsApart(String layer) {
    return state.layer(layer).curvature.inputsApart();
  }

  private double observedShareBefore() {
    return observedShare > 1 - SHARE_ROUNDING ? 0 : observedShare;
  }

  /** Updates some of the factors; the share is not counted. */
  void observe(
      List<Observation> observations, double share, Function<String, Curvature.Part> parts) {
    double before = observedShareBefore();
    if (!(share > 0) || before + share > 1 + SHARE_ROUNDING) {
      throw new IllegalArgumentException(
          "the shares of the micro-batches of a step must be positive and add to 1, but after %s comes %s"
              .formatted(before, share));
    }
    int count = options.maxExamples();
    List<Observation> due =
        check.known(observations).stream().filter(o -> due(state.layers().get(o.layer()))).toList();
    List<Curvature.Batch> batches =
        check.observations(due, count, parts).stream().map(b -> b.scaled(options)).toList();
    // after shares s the average is (d X + (1 - d) sum s_k X_k) / (d + (1 - d) sum s_k)
    double decay = options.decay();
    double weightBefore = decay + (1 - decay) * before;
    double weight = decay + (1 - decay) * (before + share);
    blocks.observe(batches, share == 1 ? options : options.withDecay(weightBefore / weight));
  }

  /**
   * Takes the statistics of a batch that were made elsewhere into the running averages; one call
   * for all the observations of a step.
   *
   * @param statistics by layer, of some or all layers, as {@link BatchStatistics} makes them
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown layer, moments
   *     that are missing or of another size, NaN or infinity
   */
  public void observe(Map<String, LayerStatistics> statistics) {
    statistics.forEach((name, fresh) -> state.layer(name).requireFits(fresh));
    statistics.forEach((name, fresh) -> state.layer(name).observe(fresh, options.decay()));
  }

  /** Counts a share that was observed in parts. */
  void countShare(double share) {
    observedShare = observedShareBefore() + share;
  }

  /** Forgets that some micro-batches of the step have been observed. */
  void abandonObservations() {
    observedShare = 0;
  }

  @Override
  public List<LayerReport> refresh() {
    List<LayerState> states = state.layers().values().stream().filter(this::due).toList();
    for (LayerState layer : states) {
      if (layer.factorWeight == 0 && layer.momentWeight == 0) {
        throw new IllegalStateException(
            LayerState.prefix(layer.name) + "there is nothing to invert before observe()");
      }
    }
    lastRefresh = blocks.refresh(states, options);
    options
        .intervals()
        .similarity()
        .ifPresent(
            bound -> states.forEach(layer -> Staleness.refreshed(layer, state.step(), bound)));
    return lastRefresh;
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    endStep();
    return report;
  }

  /** Ends a step whose gradients were previewed; {@link #precondition} does it by itself. */
  public void endStep() {
    state.countStep();
    observedShare = 0;
    lastRefresh = List.of();
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    boolean burnIn = options.intervals().burningIn(state.step());
    List<Curvature.Request> requests = check.gradients(gradients, burnIn);
    double innerProduct = burnIn ? 0 : blocks.precondition(requests, options);
    double clip = burnIn ? 0 : clip(innerProduct);
    if (clip < 1) {
      backend.scale(tensors(requests), clip);
    }
    requests.forEach(Curvature.Request::store);
    return new StepReport(state.step() + 1, innerProduct, clip, lastRefresh);
  }

  private double clip(double innerProduct) {
    if (options.klClip().isEmpty()) {
      return 1;
    }
    double bound = options.klClip().getAsDouble();
    return options.convention().klClip(bound, options.learningRate(), innerProduct);
  }

  private static List<Tensor> tensors(List<Curvature.Request> requests) {
    List<Tensor> tensors = new ArrayList<>();
    for (Curvature.Request request : requests) {
      tensors.add(request.gradient().weight());
      if (request.gradient().bias() != null) {
        tensors.add(request.gradient().bias());
      }
    }
    return tensors;
  }

  @Override
  public Map<String, StoredTensor> toTensors() {
    return state.toTensors();
  }

  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    state.restore(tensors);
  }

  /** Frees the state's matrices; idempotent. */
  @Override
  public void close() {
    state.layers().values().forEach(LayerState::close);
  }
}
