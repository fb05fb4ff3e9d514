package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.curvature.Allocation.Keeps;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MemoryErrors;
import io.github.kfac4j.curvature.Staleness;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * K-FAC for the layers of one network: three verbs between a trainer's backward pass and its update
 * rule.
 *
 * <pre>{@code
 * Kfac kfac = new Kfac(Backends.best(), Map.of("fc", Dense.of(784, 10)), KfacOptions.DEFAULT);
 * // each step, after the backward pass:
 * if (kfac.wantsObservations()) kfac.observe(observations);
 * if (kfac.wantsRefresh()) kfac.refresh();
 * kfac.precondition(gradients); // in place; now let SGD with momentum step
 * }</pre>
 *
 * <p>Every verb checks all of its arguments before it changes anything: after an {@link
 * IllegalArgumentException} the state and the gradients are as they were. An instance is used by
 * one thread at a time, and a second one is refused with an {@link IllegalStateException}. It owns
 * its state but not the backend.
 */
public final class Kfac implements KfacPreconditioner {
  private static final System.Logger LOG = System.getLogger(Kfac.class.getName());

  private final Statistics statistics;
  private final KfacState state;
  private final Inverses inverses;
  private final GradientCheck check;
  private KfacOptions options;
  private final Set<String> saidPlain = new HashSet<>();

  /**
   * Makes K-FAC for the given layers.
   *
   * @param backend does the arithmetic; stays the caller's to close, after this
   * @param layers by name; reports follow the map's order
   * @param options settings
   * @throws IllegalArgumentException if there is no layer, or naming a layer that does not support
   *     its approximation or the convention, or has a factor that is too large for the backend,
   *     with its size and what can be done; nothing has been allocated then
   * @throws io.github.kfac4j.backend.MemoryException if there is less memory than was promised;
   *     what had been allocated is free again
   */
  public Kfac(Backend backend, Map<String, ? extends Layer> layers, KfacOptions options) {
    boolean adaptive = options.intervals().similarity().isPresent();
    this.statistics =
        new Statistics(backend, layers, options, adaptive ? Keeps.STATE_AND_EARLIER : Keeps.STATE);
    this.state = statistics.state();
    this.inverses = new Inverses(statistics.backend(), statistics.blocks(), state);
    this.check = new GradientCheck(statistics.backend(), state);
    this.options = options;
  }

  @Override
  public KfacOptions options() {
    return options;
  }

  @Override
  public void reconfigure(KfacOptions changed) {
    state.run(
        () -> {
          options.requireCompatible(changed);
          options = changed;
        });
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
  public void observe(List<Observation> observations, Share share) {
    state.run(
        () -> {
          List<Observation> due =
              observations.stream().filter(one -> due(state.layer(one.layer()))).toList();
          statistics.observe(due, share, options);
        });
  }

  /**
   * Adds the statistics of a batch that were made elsewhere to the running averages; one call for
   * all the observations of a step.
   *
   * @param batch by layer, of some or all layers, as {@link BatchStatistics} makes them
   * @throws IllegalArgumentException naming the layer and what is wrong: unknown layer, moments
   *     that are missing or of another size, NaN or infinity
   */
  public void add(Map<String, LayerStatistics> batch) {
    state.run(() -> statistics.add(new LinkedHashMap<>(batch), options.decay()));
  }

  @Override
  public void reweigh(double factor) {
    state.run(() -> statistics.reweigh(factor, options.decay()));
  }

  @Override
  public List<LayerReport> refresh() {
    return state.call(this::renew);
  }

  private List<LayerReport> renew() {
    List<LayerState> due = state.layers().values().stream().filter(this::due).toList();
    if (!due.isEmpty() && !statistics.anyObserved()) {
      throw new IllegalStateException(
          LayerState.prefix(due.get(0).name) + "there is nothing to invert before observe()");
    }
    return inverses.refresh(due, options);
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    return state.call(
        () -> {
          StepReport report = preview(gradients);
          endStep();
          return report;
        });
  }

  /** Ends a step whose gradients were previewed; {@link #precondition} does it by itself. */
  public void endStep() {
    state.run(state::endStep);
  }

  @Override
  public void discardStep() {
    state.run(() -> state.open().discard());
  }

  /** All of it in one turn: another thread is refused until the step has ended. */
  @Override
  public StepReport step(List<Observation> observations, List<LayerGradient> gradients) {
    return state.call(() -> KfacPreconditioner.super.step(observations, gradients));
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    return state.call(() -> replace(gradients));
  }

  private StepReport replace(List<LayerGradient> given) {
    // what is checked is what is used, whatever list this is
    List<LayerGradient> gradients = new ArrayList<>(given);
    boolean burnIn = options.intervals().burningIn(state.step());
    List<String> layers = gradients.stream().map(LayerGradient::layer).toList();
    List<Curvature.Request> requests =
        MemoryErrors.naming(
            layers, () -> requests(gradients, layer -> !burnIn && staysPlain(layer)));
    List<String> plain = new ArrayList<>(layers);
    plain.removeAll(requests.stream().map(request -> request.state().name).toList());
    plain.forEach(this::sayPlain);
    Inverses.Clipped done =
        MemoryErrors.naming(
            layers,
            () -> burnIn ? inverses.clear(requests) : inverses.precondition(requests, options));
    return new StepReport(
        state.step() + 1, done.innerProduct(), done.clip(), state.open().refreshed, burnIn, plain);
  }

  /** Requests for all gradients but those of layers that stay plain. */
  private List<Curvature.Request> requests(
      List<LayerGradient> gradients, Predicate<LayerState> plain) {
    Map<LayerState, Integer> exponents = check.require(gradients);
    List<Curvature.Request> requests = new ArrayList<>();
    for (LayerGradient gradient : gradients) {
      LayerState layer = state.layer(gradient.layer());
      if (!plain.test(layer)) {
        Gradient matrices = layer.layer.matrix(gradient.weight(), gradient.bias());
        requests.add(new Curvature.Request(layer, gradient, matrices, exponents.get(layer)));
      }
    }
    return requests;
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
    boolean due = layer.counters.observed && options.intervals().wantsInverses(state.step());
    if (none && (due || !statistics.anyObserved())) {
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

  @Override
  public Map<String, StoredTensor> toTensors() {
    return state.toTensors();
  }

  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    state.restore(tensors);
  }

  /**
   * Does what {@link #restore} does in two parts, for those who must agree in between.
   *
   * @return what replaces everything when it is run
   * @throws IllegalArgumentException as {@link #restore}
   */
  public Runnable prepareRestore(Map<String, StoredTensor> tensors) {
    return state.prepareRestore(tensors);
  }

  /**
   * Takes averages, inverses and counters of the layers from other K-FAC of the same kind, within
   * the step that is under way: {@link #discardStep} drops them. The number of steps stays.
   *
   * @param tensors as {@link #toTensors} gives them
   * @throws IllegalArgumentException as {@link #restore}
   */
  public void adopt(Map<String, StoredTensor> tensors) {
    state.run(() -> statistics.adopt(tensors));
  }

  /** Frees the state's matrices; idempotent. */
  @Override
  public void close() {
    state.run(statistics::close);
  }
}
