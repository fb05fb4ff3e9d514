package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
  private final Set<String> saidPlain = new HashSet<>();
  private boolean observes;

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
    this(backend, layers, options, true);
  }

  /** Without copies for {@link #discardStep} where averages are of one step alone. */
  Kfac(
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      boolean discardable) {
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
    boolean adaptive = options.intervals().similarity().isPresent();
    Room.allocate(this.backend, states.values(), adaptive, discardable);
    this.state = new KfacState(states, new OpenStep(discardable));
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
    double share = state.open().observedShare;
    return share > 1 - SHARE_ROUNDING ? 0 : share;
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
    observes = true;
    batches.forEach(batch -> state.keepAverages(batch.state()));
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
    observes = true;
    statistics.keySet().forEach(name -> state.keepAverages(state.layer(name)));
    statistics.forEach((name, fresh) -> state.layer(name).observe(fresh, options.decay()));
  }

  /** Counts a share that was observed in parts. */
  void countShare(double share) {
    state.open().observedShare = observedShareBefore() + share;
  }

  @Override
  public List<LayerReport> refresh() {
    List<LayerState> due = state.layers().values().stream().filter(this::due).toList();
    List<LayerState> states = due.stream().filter(layer -> layer.observed).toList();
    if (!due.isEmpty() && !observes && !state.observed()) {
      throw new IllegalStateException(
          LayerState.prefix(due.get(0).name) + "there is nothing to invert before observe()");
    }
    states.forEach(state::keepInverses);
    List<LayerReport> reports = new ArrayList<>(blocks.refresh(states, options));
    options
        .intervals()
        .similarity()
        .ifPresent(
            bound -> states.forEach(layer -> Staleness.refreshed(layer, state.step(), bound)));
    for (int i = 0; i < due.size(); i++) {
      if (!due.get(i).observed) {
        reports.add(i, LayerReport.notObserved(due.get(i)));
      }
    }
    state.open().refreshed = List.copyOf(reports);
    return state.open().refreshed;
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    endStep();
    return report;
  }

  /** Ends a step whose gradients were previewed; {@link #precondition} does it by itself. */
  public void endStep() {
    state.endStep();
  }

  @Override
  public void discardStep() {
    state.open().discard();
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    boolean burnIn = options.intervals().burningIn(state.step());
    List<Curvature.Request> requests =
        check.gradients(gradients, layer -> !burnIn && staysPlain(layer));
    List<String> plain = new ArrayList<>(gradients.stream().map(LayerGradient::layer).toList());
    plain.removeAll(requests.stream().map(request -> request.state().name).toList());
    plain.forEach(this::sayPlain);
    List<Curvature.Result> results = burnIn ? List.of() : blocks.precondition(requests, options);
    results.forEach(Kfac::requireFinite);
    double innerProduct = results.stream().mapToDouble(Curvature.Result::inner).sum();
    double clip = burnIn ? 0 : clip(innerProduct);
    if (burnIn) {
      requests.forEach(request -> backend.scale(request.tensors(), 0));
    } else {
      finish(results, clip);
    }
    requests.forEach(Curvature.Request::store);
    return new StepReport(
        state.step() + 1, innerProduct, clip, state.open().refreshed, burnIn, plain);
  }

  /**
   * Whether a gradient stays as it is because its layer has taken no part yet.
   *
   * @throws IllegalArgumentException if it is the caller who has left a verb out
   */
  private boolean staysPlain(LayerState layer) {
    if (layer.ready()) {
      return false;
    }
    boolean none = state.layers().values().stream().noneMatch(LayerState::ready);
    boolean due = layer.observed && options.intervals().wantsInverses(state.step());
    if (none && (due || !observes && !state.observed())) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer.name) + "has no inverse yet: observe() and refresh() come first");
    }
    return true;
  }

  private void sayPlain(String layer) {
    if (saidPlain.add(layer)) {
      LOG.log(
          System.Logger.Level.INFO,
          LayerState.prefix(layer)
              + "has had no part in a refresh yet; its gradient stays plain until it has");
    }
  }

  private static void requireFinite(Curvature.Result result) {
    if (!Double.isFinite(result.inner())) {
      throw new InversionFailedException(
          LayerState.prefix(result.request().state().name)
              + "the preconditioned gradient is beyond the range of its tensors; raise the damping");
    }
  }

  /** Clips, and brings U to its size where it was computed divided by a power of two. */
  private void finish(List<Curvature.Result> results, double clip) {
    List<Tensor> plain = new ArrayList<>();
    for (Curvature.Result result : results) {
      List<Tensor> tensors = result.request().tensors();
      for (int i = 0; i < tensors.size(); i++) {
        int exponent = i == 0 ? result.weight() : result.bias();
        if (exponent == 0) {
          plain.add(tensors.get(i));
        } else {
          Range.multiply(backend, tensors.subList(i, i + 1), clip, exponent);
        }
      }
    }
    if (clip < 1) {
      backend.scale(plain, clip);
    }
  }

  private double clip(double innerProduct) {
    if (options.klClip().isEmpty()) {
      return 1;
    }
    double bound = options.klClip().getAsDouble();
    return options.convention().klClip(bound, options.learningRate(), innerProduct);
  }

  @Override
  public Map<String, StoredTensor> toTensors() {
    return state.toTensors();
  }

  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    state.restore(tensors);
  }

  /**
   * Takes averages, inverses and counters of the layers from other K-FAC of the same kind, within
   * the step that is under way: {@link #discardStep} drops them. The number of steps stays.
   *
   * @param tensors as {@link #toTensors} gives them
   * @throws IllegalArgumentException as {@link #restore}
   */
  public void adopt(Map<String, StoredTensor> tensors) {
    state.adopt(tensors);
    observes = true;
  }

  /** Frees the state's matrices; idempotent. */
  @Override
  public void close() {
    state.layers().values().forEach(LayerState::close);
    state.open().close();
  }
}
